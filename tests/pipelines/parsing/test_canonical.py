"""The canonical text: cleaned, joined, and every element an exact span of it."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.parsing.canonical import Block, Reading, canonicalise, clean, table_text
from pipelines.parsing.rejections import Rejected
from retrieval.domain.documents import ElementKind, QuarantineCode

BODY = (ElementKind.TEXT, ElementKind.LIST_ITEM, ElementKind.TABLE, ElementKind.CODE)


def reading(*blocks: Block, title: str = "") -> Reading:
    return Reading("text/plain", "test", blocks, title=title)


blocks = st.builds(
    Block,
    kind=st.sampled_from(ElementKind),
    text=st.text(max_size=60) | st.text(string.ascii_letters + "\r\n\t\x00 \ud800\u200b", max_size=60),
    page=st.none() | st.integers(1, 5),
    level=st.none() | st.integers(1, 6),
)


@given(st.lists(blocks, max_size=12), st.text(max_size=20))
def test_elements_are_ordered_apart_and_within_a_text_of_valid_characters(found: list[Block], title: str) -> None:
    try:
        canonical = canonicalise(reading(*found, title=title), name="a.txt", max_characters=10_000)
    except Rejected as rejected:
        assert rejected.rejection.code is QuarantineCode.EMPTY  # noqa: PT017  both outcomes are lawful here
        return

    canonical.text.encode()
    assert "\x00" not in canonical.text
    assert "\r" not in canonical.text
    assert canonical.title.strip()
    assert "\n\n".join(element.span.of(canonical.text) for element in canonical.elements) == canonical.text
    assert all(len(element.span) for element in canonical.elements)


def test_headings_enclose_what_follows_until_one_of_their_level() -> None:
    levels = (("Intro", 1), ("Scope", 2), ("Detail", 3), ("Terms", 2), ("End", 1))
    found = [
        block for name, level in levels for block in (Block(ElementKind.HEADING, name, level=level), Block(ElementKind.TEXT, f"In {name}."))
    ]

    canonical = canonicalise(reading(*found, title="Policy"), name="a.txt", max_characters=1_000)

    paths = {e.span.of(canonical.text): e.heading_path for e in canonical.elements if e.kind is ElementKind.TEXT}
    assert paths == {
        "In Intro.": ("Intro",),
        "In Scope.": ("Intro", "Scope"),
        "In Detail.": ("Intro", "Scope", "Detail"),
        "In Terms.": ("Intro", "Terms"),
        "In End.": ("End",),
    }


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        pytest.param("Travel policy", "Travel policy", id="declared"),
        pytest.param("", "First heading", id="none"),
        pytest.param("Untitled 1", "First heading", id="untitled"),
        pytest.param("Microsoft Word - travel.doc", "First heading", id="print-job"),
        pytest.param("scan0001.pdf", "First heading", id="file-name"),
    ],
)
def test_a_title_that_a_program_made_up_gives_way_to_the_first_heading(declared: str, expected: str) -> None:
    canonical = canonicalise(
        reading(Block(ElementKind.HEADING, "First heading", level=1), title=declared), name="travel_2026.txt", max_characters=1_000
    )

    assert canonical.title == expected


def test_without_any_title_the_file_name_is_the_title() -> None:
    canonical = canonicalise(reading(Block(ElementKind.TEXT, "Words.")), name="hr/travel_policy.txt", max_characters=1_000)

    assert canonical.title == "travel policy"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("a\r\nb\rc\u2028d", "a\nb\nc\nd", id="line-breaks"),
        pytest.param("cafe\u0301", "café", id="nfc"),
        pytest.param("ware\u00adhouse\u200b \ufeffnow\x07", "warehouse now", id="invisible"),
        pytest.param("a\u00a0\u2009 b", "a b", id="blanks"),
        pytest.param(
            "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", id="persian"
        ),
        pytest.param("wo\u200drd", "word", id="joiner-in-latin"),
        pytest.param("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469", id="emoji"),
        pytest.param("pay\U000e0069\U000e0067 now", "pay now", id="hidden-tags"),
        pytest.param("a\ud800b", "ab", id="lone-surrogate"),
    ],
)
def test_cleaning_keeps_what_readers_see(raw: str, expected: str) -> None:
    assert clean(raw) == expected


def test_a_table_is_a_line_per_row_without_empty_ends() -> None:
    assert table_text([["a", "b ", ""], ["", "", ""], ["c\nd", "", "e"]]) == "a | b\nc d |  | e"
