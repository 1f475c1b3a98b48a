"""The read path with Cohere's reranker behind it, over real HTTP: what it is sent, and what becomes of the order when it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from retrieval.bootstrap import open_rerankers
from retrieval.domain.sources import Classification, SourceSpec
from retrieval.service import KnowledgeService
from tests import cohere_server
from tests.cohere_server import KEY, WRONG, Cohere, serving_cohere
from tests.retrieval.served import LEXICAL, SENTENCES, WORDS, Served, StaleIndex, revoked, shown, texts
from tests.story import ANN, PUBLIC

pytestmark = [pytest.mark.permissions, pytest.mark.models]


@pytest.fixture
def cohere() -> Iterator[Cohere]:
    with serving_cohere() as cohere:
        yield cohere


@contextmanager
def reranked_by(cohere: Cohere, world: Served, index: StaleIndex, **changed: Any) -> Iterator[KnowledgeService]:
    """The read path with Cohere's reranker, as the settings open it; it is asked once for each query."""
    settings = {"cohere_api_key": KEY, "cohere_base_url": cohere.url, "cohere_max_response_bytes": 100_000, "model_attempts": 1, **changed}
    with open_rerankers(world.settings.model_copy(update=settings)) as rerankers:
        yield world.service(index, settings=settings, rerankers=rerankers)


@pytest.fixture
def by_cohere(world: Served, stale: StaleIndex, cohere: Cohere) -> Iterator[KnowledgeService]:
    with reranked_by(cohere, world, stale) as service:
        yield service


def test_a_reranker_that_answers_gives_the_order(by_cohere: KnowledgeService, cohere: Cohere):
    retrieved = by_cohere.retrieve(ANN, replace(WORDS, explain=True))

    assert texts(retrieved)[0] == SENTENCES[3]
    assert retrieved.degraded == ()
    assert {hit.rerank.by for hit in retrieved.explanation.hits.values()} == {"cohere/rerank-v3.5"}
    scores = [retrieved.explanation.hits[hit.passage.id].rerank.score for hit in retrieved.hits]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(1.0)


def test_whatever_a_reranker_answers_the_order_is_that_without_it_and_the_failure_is_told(world: Served, stale: StaleIndex, cohere: Cohere):
    without = world.service(stale).retrieve(ANN, WORDS)

    for fault in WRONG:
        cohere.fault = fault
        with reranked_by(cohere, world, stale) as service:
            retrieved = service.retrieve(ANN, WORDS)
        assert retrieved.degraded == ("rerank",), fault
        assert shown(replace(retrieved, degraded=())) == shown(without), fault

    assert cohere.fired == dict.fromkeys(WRONG, 1)


def test_a_reranker_that_is_left_alone_is_not_asked_and_its_absence_is_told(
    world: Served, stale: StaleIndex, by_cohere: KnowledgeService, cohere: Cohere
):
    cohere.fault = "429 with Retry-After"

    answers = [by_cohere.retrieve(ANN, WORDS) for _ in range(7)]

    assert [retrieved.degraded for retrieved in answers] == [("rerank",)] * 7
    assert {tuple(texts(retrieved)) for retrieved in answers} == {tuple(texts(world.service(stale).retrieve(ANN, WORDS)))}
    assert len(cohere.requests) < 7


def test_a_reranker_that_takes_too_long_is_left_behind(world: Served, stale: StaleIndex, cohere: Cohere):
    cohere.fault, cohere.seconds = "slow", 5.0

    with reranked_by(cohere, world, stale, rerank_timeout_seconds=0.2) as impatient:
        retrieved = impatient.retrieve(ANN, WORDS)

    assert retrieved.degraded == ("rerank",)
    assert texts(retrieved) == texts(world.service(stale).retrieve(ANN, WORDS))
    assert retrieved.seconds["rerank"] < 2


def test_what_was_revoked_while_a_reranker_read_it_is_not_shown(
    world: Served, by_cohere: KnowledgeService, cohere: Cohere, monkeypatch: pytest.MonkeyPatch
):
    def revoke_and_answer(handler: cohere_server.Handler, body: Any) -> None:
        world.list_again(revoked(SENTENCES[3]))
        cohere_server.right(handler, body)

    monkeypatch.setitem(cohere_server.FAULTS, "revoking", revoke_and_answer)
    before = by_cohere.retrieve(ANN, WORDS)
    cohere.fault = "revoking"

    during = by_cohere.retrieve(ANN, replace(WORDS, explain=True))

    assert texts(before)[0] == SENTENCES[3]
    assert SENTENCES[3] not in texts(during)
    assert len(during.hits) == WORDS.top_k
    assert SENTENCES[3] not in repr(during)
    assert during.explanation.hits.keys() == {hit.passage.id for hit in during.hits}


def test_what_was_revoked_while_a_reranker_failed_is_not_shown_either(
    world: Served, by_cohere: KnowledgeService, cohere: Cohere, monkeypatch: pytest.MonkeyPatch
):
    def revoke_and_fail(handler: cohere_server.Handler, body: Any) -> None:
        world.list_again(revoked(SENTENCES[3]))
        cohere_server.FAULTS["500"](handler, body)

    monkeypatch.setitem(cohere_server.FAULTS, "revoking", revoke_and_fail)
    cohere.fault = "revoking"

    retrieved = by_cohere.retrieve(ANN, WORDS)

    assert retrieved.degraded == ("rerank",)
    assert SENTENCES[3] not in texts(retrieved)


def test_what_is_withheld_is_not_sent_to_a_reranker(world: Served, by_cohere: KnowledgeService, cohere: Cohere):
    world.list_again(revoked(SENTENCES[3]))

    by_cohere.retrieve(ANN, WORDS)

    [request] = cohere.requests
    sent = [text.partition("\n")[2] for text in request.body["documents"]]
    assert set(sent) == set(SENTENCES) - {SENTENCES[3]}


@pytest.mark.parametrize("classification", list(Classification))
def test_passages_classified_above_the_limit_are_not_sent(
    world: Served, by_cohere: KnowledgeService, cohere: Cohere, classification: Classification
):
    secret = "Approval of a trip to the board takes no time."
    story = world.story("board")
    spec = SourceSpec("board", "files", "Board", "user:dana", classification=classification)
    world.catalog.sources.register(spec, by="user:dana")
    world.sync({"minutes.md": (secret, PUBLIC)}, source=story.source)
    mixed = replace(by_cohere, index=StaleIndex.of(world.passages, LEXICAL))

    retrieved = mixed.retrieve(ANN, replace(WORDS, explain=True))

    sent = [text for request in cohere.requests for text in request.body["documents"]]
    may_be_sent = classification in {Classification.PUBLIC, Classification.INTERNAL}
    assert secret in texts(retrieved)
    assert any(secret in text for text in sent) is may_be_sent
    assert len(cohere.requests) == int(may_be_sent)
    assert retrieved.degraded == ()
    expected = "cohere/rerank-v3.5" if may_be_sent else "features"
    assert {hit.rerank.by for hit in retrieved.explanation.hits.values()} == {expected}
