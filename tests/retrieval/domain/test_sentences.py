import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.domain.sentences import sentences


def cut(text: str) -> list[str]:
    return [span.of(text) for span in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("It rained. We left.", ["It rained.", "We left."], id="full stops"),
        pytest.param("Really? Yes! Good.", ["Really?", "Yes!", "Good."], id="questions and exclamations"),
        pytest.param("Dr. Smith paid Mr. Jones.", ["Dr. Smith paid Mr. Jones."], id="titles"),
        pytest.param("It costs $3.5 million. Or 4.", ["It costs $3.5 million.", "Or 4."], id="decimals"),
        pytest.param("See Fig. 3, e.g. Jones et al. (2003). Next.", ["See Fig. 3, e.g. Jones et al. (2003).", "Next."], id="abbreviations"),
        pytest.param("Room No. 5 is free. No. It is not.", ["Room No. 5 is free.", "No.", "It is not."], id="a number or a refusal"),
        pytest.param("J. R. Tolkien wrote. We read.", ["J. R. Tolkien wrote.", "We read."], id="initials"),
        pytest.param("Take vitamin C. The dose is low.", ["Take vitamin C.", "The dose is low."], id="a letter at the end"),
        pytest.param("It opens at 5 p.m. on Friday.", ["It opens at 5 p.m. on Friday."], id="a small letter carries on"),
        pytest.param("Ask Yahoo! or leave.", ["Ask Yahoo! or leave."], id="a small letter after any mark"),
        pytest.param('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."], id="closing quotes"),
        pytest.param("1. Register. 2. Sign.", ["1. Register.", "2. Sign."], id="enumerators"),
        pytest.param("- one\n- two", ["- one", "- two"], id="bullets"),
        pytest.param("a wrapped\nline. Next", ["a wrapped\nline.", "Next"], id="wrapped lines"),
        pytest.param("no end\n\nnew paragraph", ["no end", "new paragraph"], id="blank lines"),
        pytest.param("第一句。第二句。", ["第一句。", "第二句。"], id="full-width marks need no space"),
        pytest.param("See www.x.org. Done.", ["See www.x.org.", "Done."], id="addresses"),
        pytest.param(" \n ", [], id="white space only"),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text, expected):
    assert cut(text) == expected


@given(st.text(st.sampled_from("aB1 .!?\n\t。“”)(-•No"), max_size=200))
def test_sentences_hold_every_visible_character_in_order_and_no_outer_space(text):
    found = sentences(text)

    assert "".join("".join(span.of(text).split()) for span in found) == "".join(text.split())
    assert all(span.of(text) == span.of(text).strip() != "" for span in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.mark.parametrize(
    "text",
    ["." * 200_000 + "a", "\n" * 200_000 + "a", "\n " * 100_000, ".)" * 100_000, "a. " * 60_000],
    ids=["points", "line ends", "blank lines", "closers", "initials"],
)
def test_hostile_text_takes_linear_time(text):
    started = time.process_time()

    sentences(text)

    assert time.process_time() - started < 5
