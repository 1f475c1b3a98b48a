from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pipelines.stages.chunk import MIN_TOKENS, chunk
from pipelines.stages.measure import MAX_CHARACTERS_PER_TOKEN
from pipelines.stages.prefixes import SEPARATOR
from retrieval.adapters.models.tokens import Tokens
from retrieval.adapters.models.weights import find_weights
from retrieval.domain.documents import Element, ElementKind, ParsedDocument, Span
from retrieval.domain.passages import DraftPassage

TOKENIZER = find_weights("").directory / "tokenizer.json"
SENTENCE = "Every trip is approved by the head of the department before it is booked."

Part = tuple[ElementKind, str, tuple[str, ...], int | None]


def words(texts: Sequence[str]) -> list[int]:
    """A tokenizer that is easy to reckon with: a word is a token."""
    return [len(text.split()) for text in texts]


def heading(text: str, *path: str, page: int | None = None) -> Part:
    return ElementKind.HEADING, text, path, page


def text(content: str, *path: str, page: int | None = None, kind: ElementKind = ElementKind.TEXT) -> Part:
    return kind, content, path, page


def table(content: str, *path: str) -> Part:
    return text(content, *path, kind=ElementKind.TABLE)


def document(*parts: Part, title: str = "Handbook") -> ParsedDocument:
    whole, elements = "", []
    for kind, content, path, page in parts:
        whole += "\n\n" if whole else ""
        elements.append(Element(Span(len(whole), len(whole) + len(content)), kind, page, path))
        whole += content
    return ParsedDocument(title, "text/plain", whole, tuple(elements), method="test")


def cut(parsed: ParsedDocument, *, max_tokens: int = 60, overlap_tokens: int = 0) -> tuple[DraftPassage, ...]:
    return chunk(parsed, count_tokens=words, max_tokens=max_tokens, overlap_tokens=overlap_tokens)


def numbered(count: int, *, length: int = 10) -> str:
    """Sentences of `length` words, each telling its number."""
    return " ".join(f"Sentence {number} " + " ".join(["word"] * (length - 3)) + " end." for number in range(count))


def test_short_paragraphs_of_one_section_share_a_passage():
    parsed = document(text("The first paragraph."), text("The second paragraph."))

    (passage,) = cut(parsed)

    assert passage.text == "The first paragraph.\n\nThe second paragraph."
    assert (passage.ordinal, passage.span, passage.prefix) == (0, Span(0, len(parsed.text)), "Handbook")
    assert passage.tokens == 1 + 6


def test_title_and_headings_go_into_the_prefix_and_not_into_the_span():
    parsed = document(
        heading("Travel"), text("Trains only.", "Travel"), heading("Hotels", "Travel"), text("Three stars.", "Travel", "Hotels")
    )

    first, second = cut(parsed)

    assert (first.prefix, first.text) == (f"Handbook{SEPARATOR}Travel", "Trains only.")
    assert (second.prefix, second.text) == (f"Handbook{SEPARATOR}Travel{SEPARATOR}Hotels", "Three stars.")
    assert second.heading_path == ("Travel", "Hotels")


def test_a_title_that_is_the_first_heading_is_said_once():
    (passage,) = cut(document(heading("Travel"), text("Trains only.", "Travel"), title="Travel"))

    assert passage.prefix == "Travel"


def test_sections_never_share_a_passage():
    parsed = document(text("One.", "A"), text("Two.", "B"), text("Three.", "B", "C"))

    passages = cut(parsed)

    assert [passage.text for passage in passages] == ["One.", "Two.", "Three."]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((text("Text.", "A"), heading("Appendix follows")), id="at the end"),
        pytest.param((heading("Appendix follows"), heading("B"), text("Text.", "B")), id="before another section"),
        pytest.param((heading("Appendix follows"),), id="alone"),
        pytest.param((heading("Appendix follows " + "very long " * 50), text("Text.", "Appendix follows…")), id="too long for the prefix"),
    ],
)
def test_a_heading_that_no_prefix_holds_is_text(parts):
    passages = cut(document(*parts))

    assert any("Appendix follows" in passage.text for passage in passages)


def test_a_document_that_is_only_its_title_has_a_passage_that_says_it_once():
    (passage,) = cut(document((ElementKind.TITLE, "Handbook", (), None)))

    assert passage.embedded_text == "Handbook"


def test_a_paragraph_is_kept_whole_once_the_passage_before_is_half_full():
    parsed = document(text(numbered(4)), text(numbered(3)))

    first, second = cut(parsed, max_tokens=60)

    assert first.text == numbered(4)
    assert second.text == numbered(3)


def test_a_long_paragraph_is_cut_between_sentences():
    passages = cut(document(text(numbered(12))), max_tokens=60)

    assert [passage.text.count("Sentence") for passage in passages] == [5, 5, 2]
    assert all(passage.text.endswith("end.") for passage in passages)


def test_an_overlong_sentence_is_cut_between_words():
    sentence = " ".join(f"word{number}" for number in range(150))

    passages = cut(document(text(sentence)), max_tokens=60)

    assert " ".join(passage.text for passage in passages) == sentence
    assert all(passage.tokens <= 60 for passage in passages)


def test_an_unbroken_string_is_cut_anywhere_though_a_tokenizer_takes_it_for_one_word():
    string = "x" * 10_000

    passages = cut(document(text(string)), max_tokens=60)

    assert "".join(passage.text for passage in passages) == string
    assert all(len(passage.embedded_text) <= 60 * MAX_CHARACTERS_PER_TOKEN for passage in passages)


def test_a_table_that_fits_stays_whole():
    rows = "Name | Days\n" + "\n".join(f"Person {number} | {number}" for number in range(8))
    parsed = document(text(numbered(3)), table(rows))

    passages = cut(parsed, max_tokens=60)

    assert [passage.text for passage in passages] == [numbered(3), rows]


def test_a_larger_table_is_cut_between_rows_and_carries_its_header_row():
    rows = [f"Person {number} | {number}" for number in range(40)]
    parsed = document(table("Name | Days\n" + "\n".join(rows)))

    passages = cut(parsed, max_tokens=60)

    assert len(passages) > 2
    assert passages[0].prefix == "Handbook"
    assert {passage.prefix for passage in passages[1:]} == {"Handbook\nName | Days"}
    assert "\n".join(passage.text for passage in passages) == parsed.text
    assert all(passage.tokens <= 60 for passage in passages)


def test_text_after_a_cut_table_does_not_carry_its_header_row():
    rows = [f"Person {number} | {number}" for number in range(17)]
    parsed = document(table("Name | Days\n" + "\n".join(rows)), text("Something else."))

    *parts, after = cut(parsed, max_tokens=60)

    assert parts[-1].tokens < 40
    assert (after.text, after.prefix) == ("Something else.", "Handbook")


def test_code_is_cut_between_lines():
    lines = [f"do_something(with_argument, {number})" for number in range(60)]

    passages = cut(document(text("\n".join(lines), kind=ElementKind.CODE)), max_tokens=60)

    assert [line for passage in passages for line in passage.text.split("\n")] == lines


def test_overlap_repeats_whole_sentences_of_the_same_section():
    parsed = document(text(numbered(12)))

    passages = cut(parsed, max_tokens=60, overlap_tokens=25)

    for before, after in pairwise(passages):
        repeated = before.span.end - after.span.start
        assert after.text[:repeated] == before.text[-repeated:]
        assert after.text[:repeated].count("Sentence") == 2


def test_overlap_never_reaches_into_another_section():
    parsed = document(text(numbered(5), "A"), text(numbered(5), "B"))

    first, second = cut(parsed, max_tokens=60, overlap_tokens=25)

    assert first.span.end <= second.span.start


def test_a_passage_is_on_the_page_where_it_starts_and_touches_two_at_most():
    parsed = document(*(text(f"Page {page}.", page=page) for page in range(1, 6)))

    passages = cut(parsed)

    assert [(passage.page, passage.text.count("Page")) for passage in passages] == [(1, 2), (3, 2), (5, 1)]


def test_text_that_no_element_covers_is_not_lost():
    whole = "Before. Known. After."
    parsed = ParsedDocument("T", "text/plain", whole, (Element(Span(8, 14), ElementKind.TEXT),), method="test")

    (passage,) = cut(parsed)

    assert passage.text == whole


def test_a_long_prefix_keeps_title_and_innermost_heading_within_a_quarter_of_the_limit():
    path = ("outer " * 12, "middle " * 12, "inner heading")

    (passage,) = cut(document(text("Text.", *path)), max_tokens=60)

    assert passage.prefix == f"Handbook{SEPARATOR}inner heading"
    assert passage.heading_path == path


def test_an_endless_title_is_cut_and_leaves_room_for_text():
    passages = cut(document(text(numbered(5)), title="endless " * 500), max_tokens=60)

    assert all(passage.prefix.endswith("…") for passage in passages)
    assert all(passage.tokens - words([passage.text])[0] <= 15 for passage in passages)


def test_a_title_without_spaces_is_bounded_in_characters():
    (passage,) = cut(document(text("Text."), title="x" * 400), max_tokens=60)

    assert passage.text == "Text."
    assert len(passage.prefix) <= 15 * MAX_CHARACTERS_PER_TOKEN


@pytest.mark.parametrize(("max_tokens", "overlap"), [(MIN_TOKENS - 1, 0), (60, 30), (60, -1)])
def test_settings_that_cannot_work_are_refused(max_tokens, overlap):
    with pytest.raises(ValueError, match=r"passage|overlap"):
        cut(document(text("Text.")), max_tokens=max_tokens, overlap_tokens=overlap)


def test_passages_hold_to_the_limit_of_a_tokenizer_whose_counts_do_not_add_up():
    def more_together(texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + (len(text) // 40) ** 2 for text in texts]

    passages = chunk(document(text(numbered(30))), count_tokens=more_together, max_tokens=220, overlap_tokens=0)

    assert max(more_together([passage.embedded_text for passage in passages])) <= 220
    assert " ".join(passage.text for passage in passages) == numbered(30)


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return Tokens.of(Tokenizer.from_file(str(TOKENIZER)), max_tokens=10_000)


ODD = [
    "x" * 5000,
    "漢字" * 400,
    "e\u0301" * 600,
    "\u200b" * 500,
    "👩‍👩‍👧‍👦 " * 60,
    "ﷺ" * 300,
    " \x1c\x00 ",
    "\ud800",
    SENTENCE * 30,
    ".-" * 700,
]
NASTY = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(), max_size=300),
    st.sampled_from(ODD),
    st.lists(st.sampled_from([SENTENCE, "a | b", "-", "1.", "…", "[SEP]", "각", "\t"]), max_size=60).map(" ".join),
    st.lists(st.sampled_from([SENTENCE, "a | b", "Ü" * 40]), max_size=40).map("\n".join),
)
PARTS = st.tuples(
    st.sampled_from(list(ElementKind)),
    NASTY,
    st.lists(st.sampled_from(["A", "B", "Ǆ" * 90, SENTENCE]), max_size=3).map(tuple),
    st.sampled_from([None, 1, 2]),
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(parts=st.lists(PARTS, max_size=8), title=NASTY, max_tokens=st.sampled_from([32, 64, 220, 254]), overlap=st.sampled_from([0, 15]))
def test_whatever_the_text_passages_are_exact_complete_and_within_what_the_model_reads(tokens, parts, title, max_tokens, overlap):
    parsed = document(*parts, title=title)

    passages = chunk(parsed, count_tokens=tokens.counts, max_tokens=max_tokens, overlap_tokens=overlap)

    assert [len(ids) - 2 for ids in tokens.ids([passage.embedded_text for passage in passages])] == [passage.tokens for passage in passages]
    assert all(passage.tokens <= max_tokens for passage in passages)
    assert all(passage.text == passage.span.of(parsed.text) == passage.text.strip() != "" for passage in passages)
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    assert all(one.span.start < other.span.start and one.span.end < other.span.end for one, other in pairwise(passages))
    assert _uncovered(parsed, passages) == set()
    assert passages == chunk(parsed, count_tokens=tokens.counts, max_tokens=max_tokens, overlap_tokens=overlap)


def _uncovered(parsed: ParsedDocument, passages: Sequence[DraftPassage]) -> set[str]:
    """What of the text, less headings that some prefix says, is in no passage."""
    covered = {position for passage in passages for position in range(passage.span.start, passage.span.end)}
    missing = set()
    for element in parsed.elements:
        visible = [at for at in range(element.span.start, element.span.end) if not parsed.text[at].isspace()]
        is_heading = element.kind in (ElementKind.TITLE, ElementKind.HEADING)
        said = " ".join(element.span.of(parsed.text).split())
        if not covered.issuperset(visible) and not (is_heading and any(said in passage.prefix for passage in passages)):
            missing.add(element.span.of(parsed.text))
    return missing


@pytest.mark.parametrize("sample", [*ODD, "", "plain words", "two\nlines\there", "a\x1cb", "non\u00a0breaking", "[SEP] [MASK]x"])
def test_counting_word_by_word_is_counting_the_text(tokens, sample):
    (whole,) = tokens.ids([sample])

    assert tokens.counts([sample]) == [len(whole) - 2]
