"""Searching, feeding back, gating and explaining as one: what is withheld shows nowhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.permissions import Principal
from retrieval.domain.runs import Leg
from retrieval.ports.reading import Candidate, Gated
from retrieval.search import MOST_ATTEMPTS
from retrieval.steps.features import FEATURES
from tests.retrieval.served import FILES, QUERY, SENTENCES, RecordedTokens, Served, StaleIndex, revoked, shown, texts
from tests.story import ANN, BOB, PUBLIC, allow

pytestmark = [pytest.mark.permissions, pytest.mark.models]


@pytest.mark.parametrize(
    ("top_k", "changed"),
    [
        pytest.param(5, {}, id="everything on"),
        pytest.param(5, {"rerank_passages": 0}, id="without reranking"),
        pytest.param(5, {"feedback_passages": 0}, id="without feedback"),
        pytest.param(5, {"rerank_tokens": False}, id="without tokens"),
        pytest.param(1, {"rerank_passages": 2}, id="far more found than shown"),
    ],
)
def test_whichever_passage_is_withheld_it_shapes_nothing_of_what_is_shown(
    world: Served, stale: StaleIndex, top_k: int, changed: dict[str, Any]
):
    tokens = RecordedTokens(world.catalog)
    query = replace(QUERY, top_k=top_k)
    behind = world.service(stale, settings=changed, tokens=tokens)
    behind.retrieve(ANN, query)  # what is remembered of it must not show either

    for text in SENTENCES:
        world.list_again(revoked(text))
        tokens.asked.clear()
        retrieved = behind.retrieve(ANN, query)
        assert shown(retrieved) == shown(world.service(stale.without(text), settings=changed).retrieve(ANN, query)), text
        assert text not in {stale.held[id_] for id_ in tokens.asked}


def test_what_is_revoked_far_down_while_the_index_is_searched_shapes_nothing_either(world: Served, stale: StaleIndex):
    changed, query = {"rerank_passages": 2}, replace(QUERY, top_k=1)

    for text in SENTENCES:
        world.list_again(FILES)
        up_to_date = replace(stale, at=world.story().feed.revision(), while_searched=[partial(world.list_again, revoked(text))])
        retrieved = world.service(up_to_date, settings=changed).retrieve(ANN, query)
        assert shown(retrieved) == shown(world.service(stale.without(text), settings=changed).retrieve(ANN, query)), text


def test_tokens_are_asked_for_of_no_passage_that_the_gate_withholds(world: Served, stale: StaleIndex):
    tokens = RecordedTokens(world.catalog)
    world.list_again(revoked(SENTENCES[1]))

    world.service(stale, tokens=tokens).retrieve(ANN, QUERY)

    assert {stale.held[id_] for id_ in tokens.asked} == set(SENTENCES) - {SENTENCES[1]}


def test_a_passages_tokens_are_read_once(world: Served, stale: StaleIndex):
    tokens = RecordedTokens(world.catalog)
    service = world.service(stale, tokens=tokens)

    first, again = (service.retrieve(ANN, QUERY) for _ in range(2))

    assert shown(first) == shown(again)
    assert sorted(tokens.asked) == sorted(stale.held)


@dataclass
class RestlessGate:
    """The catalog's gate; before each pass Ann loses another of the passages that are found, as long as some are left to lose."""

    world: Served
    left: list[str]
    lost: set[str] = field(default_factory=set)

    def gate(self, principal: Principal, candidates: Sequence[Candidate], *, at_least: int = 0, as_of: int | None = None) -> Gated:
        if self.left:
            self.lost.add(self.left.pop())
            files = {key: (text, allow("user:bob") if text in self.lost else policy) for key, (text, policy) in FILES.items()}
            self.world.list_again(files)
        return self.world.catalog.gate.gate(principal, candidates, at_least=at_least, as_of=as_of)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return getattr(self.world.catalog.gate, name)


def test_where_more_is_withheld_each_time_the_third_attempt_is_the_last(world: Served, stale: StaleIndex):
    restless = RestlessGate(world, list(SENTENCES))

    with pytest.raises(IndexUnavailable, match="changes faster") as refused:
        world.service(stale, gate=restless).retrieve(ANN, QUERY)

    assert refused.value.retry_after_seconds == 1
    assert len(restless.lost) == MOST_ATTEMPTS


def test_where_it_comes_to_rest_in_time_what_is_left_is_shown_as_if_nothing_else_had_been_there(world: Served, stale: StaleIndex):
    restless = RestlessGate(world, list(SENTENCES[:2]))

    retrieved = world.service(stale, gate=restless).retrieve(ANN, QUERY)

    never_there = stale.without(SENTENCES[0]).without(SENTENCES[1])
    assert shown(retrieved) == shown(world.service(never_there).retrieve(ANN, QUERY))


def test_a_graph_that_is_not_loaded_is_told_and_changes_nothing_else(world: Served, stale: StaleIndex):
    without = world.service(stale).retrieve(ANN, QUERY)

    retrieved = world.service(stale, walks=world.walks(loaded=False)).retrieve(ANN, QUERY)

    assert retrieved.degraded == ("graph",)
    assert shown(replace(retrieved, degraded=())) == shown(without)


def test_a_graph_that_is_loaded_or_not_wanted_is_no_degradation(world: Served, stale: StaleIndex):
    not_wanted = world.service(stale, settings={"graph_weight": 0.0}, walks=world.walks(loaded=False)).retrieve(ANN, QUERY)
    loaded = world.service(stale, walks=world.walks()).retrieve(ANN, QUERY)

    assert (not_wanted.degraded, loaded.degraded) == ((), ())


def test_an_explanation_adds_up_and_tells_of_the_hits_that_are_shown_and_no_others(world: Served, tmp_path: Path):
    with world.index(tmp_path / "index") as index:
        retrieved = world.service(index).retrieve(ANN, QUERY)

    explanation = retrieved.explanation
    assert explanation is not None
    assert list(explanation.hits) == [hit.passage.id for hit in retrieved.hits]
    assert set(explanation.legs) == {Leg.LEXICAL, Leg.DENSE, Leg.FEEDBACK}
    assert sum(explanation.weights.values()) == pytest.approx(1)
    assert {"approves", "trips", "abroad"} <= set(explanation.terms)
    for hit in retrieved.hits:
        told = explanation.hits[hit.passage.id]
        assert sum(place.contribution for place in told.legs.values()) == pytest.approx(told.fused_score, abs=2e-5)
        assert told.rerank.by == "features"
        assert tuple(told.rerank.contributions) == FEATURES
        assert told.readable_by == ("everyone",)
    ranks = [explanation.hits[hit.passage.id].rerank.score for hit in retrieved.hits]
    assert ranks == sorted(ranks, reverse=True)


def test_without_explain_nothing_is_explained_and_the_hits_are_the_same(world: Served, tmp_path: Path):
    with world.index(tmp_path / "index") as index:
        service = world.service(index)
        explained, plain = (service.retrieve(ANN, replace(QUERY, explain=explain)) for explain in (True, False))

    assert plain.explanation is None
    assert shown(plain)[:-1] == shown(explained)[:-1]


def test_a_reader_of_fewer_passages_is_told_of_his_own_subject_only(world: Served, tmp_path: Path):
    files = {**FILES, "00.md": (SENTENCES[0], allow("user:ann", "user:bob", "group:board"))}
    world.list_again(files)

    with world.index(tmp_path / "index") as index:
        retrieved = world.service(index).retrieve(BOB, QUERY)

    [told] = [retrieved.explanation.hits[hit.passage.id] for hit in retrieved.hits if hit.passage.text == SENTENCES[0]]
    assert told.readable_by == ("user:bob",)


RULE = "Whoever books a trip abroad asks the head of the department for approval at least five working days before the journey begins"


def test_a_duplicate_is_shown_in_the_better_one_and_takes_no_place(world: Served, tmp_path: Path):
    world.sync(
        {**FILES, "rule.md": (f"{RULE}.", PUBLIC), "copy.md": (f"{RULE.upper()}.", PUBLIC), "secret.md": (f"{RULE}!", allow("user:bob"))}
    )
    query = replace(QUERY, text=RULE, top_k=3)

    with world.index(tmp_path / "index") as index:
        plain = world.service(index).retrieve(ANN, query)
        collapsed = world.service(index, settings={"hits_collapse_duplicates": True}).retrieve(ANN, query)
        bobs = world.service(index, settings={"hits_collapse_duplicates": True}).retrieve(BOB, query)

    assert sum(text.lower().startswith(RULE.lower()) for text in texts(plain)) == 2
    [best, *others] = collapsed.hits
    assert [duplicate.quote.lower() for duplicate in best.duplicates] == [f"{RULE.lower()}."]
    assert best.citation.quote.lower() == f"{RULE.lower()}."
    assert len(others) == 2
    assert not any(hit.duplicates or hit.passage.text.lower().startswith(RULE.lower()) for hit in others)
    assert len(bobs.hits[0].duplicates) == 2
    assert f"{RULE}!" not in repr(collapsed)


def test_neighbours_are_shown_as_exactly_the_stretch_of_text_that_they_cover(world: Served, tmp_path: Path):
    text = "Trips abroad - naïve or not - are approved by the head.\n\n  Approval of trips abroad takes two days; über Nacht, too.\n"
    world.sync({**FILES, "two.md": (text, PUBLIC)})

    with world.index(tmp_path / "index") as index:
        retrieved = world.service(index).retrieve(ANN, replace(QUERY, top_k=10))
        apart = world.service(index, settings={"hits_join_neighbours": False}).retrieve(ANN, replace(QUERY, top_k=10))

    document = world.story().document("two.md")
    [first, second] = [hit for hit in retrieved.hits if hit.passage.document == document]
    assert first.extract is not None
    assert first.extract.text == text == first.extract.span.of(text)
    assert second.extract is None
    assert all(hit.extract is None for hit in retrieved.hits if hit.passage.document != document)
    assert all(hit.extract is None for hit in apart.hits)
