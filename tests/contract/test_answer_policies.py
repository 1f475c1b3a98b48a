"""Policies on answers are those of the registration that holds now, on both databases."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import event

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.answer_policy import UNSAID, AnswerPolicy, AnswerTerms, RiskTier
from retrieval.domain.sources import SourceSpec

pytestmark = pytest.mark.contract

WIKI = SourceSpec(id="wiki", kind="files", title="Wiki", owner="user:dana", answers=AnswerTerms(authority=80, reviewers=("group:tax",)))
NEWS = SourceSpec(id="news", kind="files", title="News", owner="user:dana")


def test_each_source_has_its_owners_policy(catalog: Catalog):
    for spec in (WIKI, NEWS):
        catalog.sources.register(spec, by="user:dana")

    found = catalog.answer_policies.of(["wiki", "news", "wiki", "nowhere"])

    assert found == {
        "wiki": AnswerPolicy(source="wiki", authority=80, reviewers=("group:tax",)),
        "news": AnswerPolicy.of("news", UNSAID),
        "nowhere": AnswerPolicy.of("nowhere", UNSAID),
    }


def test_of_no_source_there_is_no_policy(catalog: Catalog):
    assert catalog.answer_policies.of([]) == {}


def test_a_new_registration_holds_from_the_next_question_on_whoever_wrote_it(make_catalog: Callable[[], Catalog]):
    reading, writing = make_catalog(), make_catalog()
    writing.sources.register(WIKI, by="user:dana")
    before = reading.answer_policies.of(["wiki"])

    writing.sources.register(replace(WIKI, answers=AnswerTerms(risk_tier=RiskTier.HIGH)), by="user:dana")

    assert before["wiki"].authority == 80
    assert reading.answer_policies.of(["wiki"]) == {"wiki": AnswerPolicy(source="wiki", risk_tier=RiskTier.HIGH)}


def test_a_registration_is_read_once(catalog: Catalog):
    catalog.sources.register(WIKI, by="user:dana")
    statements: list[str] = []
    event.listen(catalog.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_rest: statements.append(statement))

    for _ in range(3):
        catalog.answer_policies.of(["wiki"])

    assert sum("sources.spec " in statement or "sources.spec\n" in statement for statement in statements) == 1
