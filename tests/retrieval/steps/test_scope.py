"""Whether what was found is about what is asked."""

import pytest

from retrieval.domain.answers import Citation, RetrievedPassage
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.runs import FusedHit
from retrieval.steps.scope import in_scope
from tests.retrieval.steps.evidence_of import passage

QUESTION = "When was the rope of the fish lift replaced?"  # rope, fish, lift, replac


def hit(found: ReadablePassage, similarity: float | None) -> RetrievedPassage:
    return RetrievedPassage(
        1, 0.5, found, Citation.of(found), FusedHit(found.id, 0.5, 1, 3.0, None if similarity is None else 1, similarity)
    )


@pytest.mark.parametrize(
    ("text", "similarity", "expected"),
    [
        pytest.param("The canteen opens at noon.", 0.29, False, id="far-by-both"),
        pytest.param("The canteen opens at noon.", 0.30, True, id="near-by-meaning"),
        pytest.param("The rope of the lift is new.", 0.1, True, id="half-of-its-words"),
        pytest.param("The rope is new.", 0.1, False, id="a-quarter-of-its-words"),
        pytest.param("The canteen opens at noon.", None, True, id="nothing-known-of-the-meaning"),
    ],
)
def test_a_passage_is_about_a_question_by_its_meaning_or_by_its_words(text: str, similarity: float | None, expected: bool):
    assert in_scope(QUESTION, [hit(passage(text), similarity)], min_similarity=0.3, min_coverage=0.5) is expected


def test_title_and_headings_count_as_words():
    found = passage("It is new.", title="Fish lift", heading=("Ropes",))

    assert in_scope(QUESTION, [hit(found, 0.1)], min_similarity=0.3, min_coverage=0.75)
    assert not in_scope(QUESTION, [hit(found, 0.1)], min_similarity=0.3, min_coverage=0.76)


def test_one_passage_that_is_about_it_suffices():
    far, near = (
        hit(passage("The canteen opens at noon.", document="doc_far"), 0.1),
        hit(passage("Ropes wear out.", document="doc_near"), 0.6),
    )

    assert in_scope(QUESTION, [far, near], min_similarity=0.3, min_coverage=0.5)


def test_a_question_without_a_word_that_says_something_is_not_turned_away():
    assert in_scope("Why is it so?", [hit(passage("The canteen opens at noon."), 0.0)], min_similarity=0.3, min_coverage=0.5)
