"""Evaluations are kept whole, on both databases."""

from dataclasses import replace

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.errors import Conflict, InvalidInput
from retrieval.domain.evaluations import EvaluatedQuery, Evaluation, evaluation_id, questions_hash, run_id, settings_hash
from retrieval.domain.ids import document_id
from retrieval.domain.permissions import NOBODY
from tests.story import Story

pytestmark = pytest.mark.contract

FIRST = Evaluation(
    id=evaluation_id(run_id("2026-01-01T00:00:00.000000Z", "golden"), "default"),
    run=run_id("2026-01-01T00:00:00.000000Z", "golden"),
    at="2026-01-01T00:00:00.000000Z",
    collection="golden",
    split="all",
    questions_hash=questions_hash({"q1": ("Wer?", "user:ann", {"d": 1})}),
    configuration="default",
    settings={"fusion_lexical_weight": 0.55, "embedder_model": ""},
    model="fake@1",
    index_revision=7,
    commit="abc-dirty",
    queries=1,
    figures={"ndcg@10": 1 / 3},
)
QUERIES = [
    EvaluatedQuery("q1", "Wer? Ω", "user:ann", ("leave", "hr"), {"ndcg@10": 1 / 3}, ("d2", "d1")),
    EvaluatedQuery("q0", "", None, (), {}, ()),
]


def test_an_evaluation_is_read_as_it_was_written(catalog: Catalog):
    catalog.evaluations.add(FIRST, QUERIES)

    assert catalog.evaluations.get(FIRST.id) == FIRST
    assert catalog.evaluations.queries(FIRST.id) == sorted(QUERIES, key=lambda query: query.id)


def test_the_newest_come_first_and_no_more_than_asked_for(catalog: Catalog):
    later = replace(FIRST, id="ev_later", at="2026-01-02T00:00:00.000000Z", index_revision=None)
    for evaluation in (later, FIRST):
        catalog.evaluations.add(evaluation, [])

    assert catalog.evaluations.latest(count=5) == [later, FIRST]
    assert catalog.evaluations.latest(count=1) == [later]


def test_what_is_forgotten_is_gone_with_its_questions_and_nothing_else_is(catalog: Catalog):
    other = replace(FIRST, id="ev_other")
    for evaluation in (FIRST, other):
        catalog.evaluations.add(evaluation, QUERIES)

    catalog.evaluations.forget(FIRST.id)

    assert catalog.evaluations.latest(count=5) == [other]
    assert len(catalog.evaluations.queries(other.id)) == 2
    for asking in (catalog.evaluations.get, catalog.evaluations.queries, catalog.evaluations.forget):
        with pytest.raises(InvalidInput, match="evaluation"):
            asking(FIRST.id)


def test_an_id_is_taken_once(catalog: Catalog):
    catalog.evaluations.add(FIRST, QUERIES)

    with pytest.raises(Conflict):
        catalog.evaluations.add(FIRST, [])
    assert len(catalog.evaluations.queries(FIRST.id)) == 2


def test_documents_are_current_or_not_whoever_may_read_them(catalog: Catalog):
    story = Story(catalog)
    story.sync({"a.md": ("Alpha.", NOBODY), "b.md": ("Beta.", NOBODY)})
    known, withdrawn, unknown = (document_id("handbook", key) for key in ("a.md", "b.md", "c.md"))

    before = catalog.evaluations.current_documents([known, withdrawn, unknown])
    story.sync({"a.md": ("Alpha.", NOBODY)})

    assert before == {known, withdrawn}
    assert catalog.evaluations.current_documents([known, withdrawn, unknown]) == {known}
    assert catalog.evaluations.current_documents([]) == frozenset()


def test_other_settings_and_other_questions_have_other_hashes():
    asked = {"q1": ("Wer?", "user:ann", {"d": 1})}

    assert settings_hash({"a": 1, "b": 2}) == settings_hash({"b": 2, "a": 1}) != settings_hash({"a": 1, "b": 3})
    assert questions_hash(asked) == FIRST.questions_hash
    for other in ({"q1": ("Wer?", "user:bob", {"d": 1})}, {"q1": ("Wer?", "user:ann", {"d": 2})}, {"q1": ("Wo?", "user:ann", {"d": 1})}):
        assert questions_hash(other) != FIRST.questions_hash
