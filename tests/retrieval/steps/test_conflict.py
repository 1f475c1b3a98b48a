"""Which pieces of evidence are compared at all, and what is told of a contradiction."""

from dataclasses import replace

import pytest

from retrieval.domain.documents import Span
from retrieval.domain.evidence import Evidence
from retrieval.steps.conflict import conflicts
from tests.retrieval.steps.evidence_of import evidence, passage

QUESTION = "How many days of annual leave do employees get?"
THIRTY, TWENTY_FIVE = "Employees get 30 days of annual leave.", "Employees get 25 days of annual leave."


def pair(*, titles: tuple[str, str] = ("Leave policy", "Questions and answers"), documents: tuple[str, str] = ("doc_a", "doc_b")):
    return (
        evidence(passage(THIRTY, document=documents[0], title=titles[0], modified_at="2024-01-01")),
        evidence(passage(TWENTY_FIVE, document=documents[1], title=titles[1], modified_at="2026-01-01")),
    )


def test_both_sides_are_told_in_the_order_of_evidence_with_their_dates():
    one, other = pair()

    [found] = conflicts(QUESTION, [one, other], most=3)

    assert (found.one, found.other) == (one.citation, other.citation)
    assert (found.about, found.dates) == ("30 days / 25 days", ("2024-01-01", "2026-01-01"))


def test_evidence_of_one_passage_does_not_contradict_itself():
    whole = passage(THIRTY + " " + TWENTY_FIVE)
    one, other = (evidence(whole, within=span) for span in (Span(0, len(THIRTY)), Span(len(THIRTY) + 1, len(whole.text))))

    assert conflicts(QUESTION, [one, other], most=3) == ()


@pytest.mark.parametrize(
    ("headings", "expected"),
    [pytest.param((("Staff",), ("Staff",)), 0, id="same-heading"), pytest.param((("Leave",), ("Benefits",)), 1, id="two-headings")],
)
def test_passages_of_one_document_are_compared_where_they_stand_under_different_headings(headings, expected):
    one, other = (
        Evidence(replace(each.passage, id=f"psg_{number}", document="doc", heading_path=heading), each.within, each.support)
        for number, (each, heading) in enumerate(zip(pair(), headings, strict=True))
    )

    assert len(conflicts(QUESTION, [one, other], most=3)) == expected


@pytest.mark.parametrize(
    "titles",
    [
        pytest.param(("Leave policy Germany", "Leave policy France"), id="two-countries"),
        pytest.param(("Leave policy 2025", "Leave policy 2026"), id="two-versions"),
        pytest.param(("Mara Lind", "Tobias Frey"), id="two-people"),
    ],
)
def test_documents_about_different_things_contradict_nobody(titles: tuple[str, str]):
    assert conflicts(QUESTION, pair(titles=titles), most=3) == ()


@pytest.mark.parametrize(
    "titles",
    [
        pytest.param(("", ""), id="no-titles"),
        pytest.param(("Leave policy", "Leave policy"), id="one-title"),
        pytest.param(("Annual Leave", "Mara Lind"), id="only-one-is-named-after-somebody"),
        pytest.param(("Leave Policy", "Days Off"), id="titles-with-capitals-of-words-in-the-text"),
    ],
)
def test_documents_about_the_same_do(titles: tuple[str, str]):
    assert len(conflicts(QUESTION, pair(titles=titles), most=3)) == 1


@pytest.mark.parametrize(
    "question",
    [
        pytest.param("When does the canteen open on public holidays?", id="another-matter"),
        pytest.param("How many days of annual leave do employees of Kettle Mill get?", id="a-name-that-only-one-has"),
        pytest.param("", id="nothing"),
    ],
)
def test_evidence_that_does_not_bear_on_the_question_is_not_compared(question: str):
    titles = ("Kettle Mill handbook", "Questions and answers")

    assert conflicts(question, pair(titles=titles), most=3) == ()


def test_no_more_are_told_than_wanted_and_those_of_the_best_evidence_come_first():
    many = [evidence(passage(f"Employees get {days} days of annual leave.", document=f"doc_{days}")) for days in range(20, 26)]

    found = conflicts(QUESTION, many, most=2)

    assert [(conflict.one, conflict.other) for conflict in found] == [
        (many[0].citation, many[1].citation),
        (many[0].citation, many[2].citation),
    ]
    assert conflicts(QUESTION, many, most=0) == ()


def test_sentences_that_state_too_many_things_are_not_compared():
    tail = " ".join(f"word{number}x" for number in range(60)).translate(str.maketrans("0123456789", "abcdefghij"))
    long = [evidence(passage(text[:-1] + " " + tail + ".", document=f"doc_{n}")) for n, text in enumerate((THIRTY, TWENTY_FIVE))]

    assert conflicts(QUESTION, long, most=3) == ()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param("Germany | annual leave | 30 days", "Germany | annual leave | 25 days", 1, id="one-key"),
        pytest.param("Germany | annual leave | 30 days", "France | annual leave | 25 days", 0, id="two-keys"),
        pytest.param("Germany | 30 days | 10 days", "Germany | 25 days | 12 days", 0, id="two-values"),
    ],
)
def test_rows_of_tables_contradict_each_other_where_only_one_cell_differs(one: str, other: str, expected: int):
    rows = [evidence(passage(text, document=f"doc_{number}")) for number, text in enumerate((one, other))]

    assert len(conflicts("How much annual leave is there in Germany?", rows, most=3)) == expected
