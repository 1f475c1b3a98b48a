"""Runs that do not depend on the engine's order of equal hits, nor on the order in which it sums."""

from collections.abc import Sequence

import pytest

from retrieval.adapters.qdrant.bm25 import Terms, passage_terms, query_terms
from retrieval.adapters.qdrant.legs import MARGIN, MAX_FETCH, LegRequest, search_legs
from retrieval.adapters.qdrant.planner import DenseLimits
from retrieval.domain.permissions import AccessScope
from retrieval.domain.runs import Hit, Leg
from retrieval.ports.reading import LegSearch
from tests.retrieval.indexing.world import scope_of

LIMITS = DenseLimits(exact_passages=100)


class ScriptedEngine:
    """Gives the hits it was made with, best first; per pair of terms it gives the exact parts of a score."""

    def __init__(self, lexical: Sequence[Hit] = (), dense: Sequence[Hit] = (), parts: Sequence[float] = ()) -> None:
        self.hits = {Leg.LEXICAL: list(lexical), Leg.DENSE: list(dense)}
        self.parts = parts
        self.batches: list[list[LegRequest]] = []

    def ask(self, scope: AccessScope, sources: Sequence[str], requests: Sequence[LegRequest]) -> list[list[Hit]]:
        self.batches.append(list(requests))
        return [
            [Hit(passage, part) for passage in request.passages] if request.passages else self.hits[request.leg][: request.limit]
            for request, part in zip(requests, self.parts or [0.0] * len(requests), strict=False)
        ]


def test_an_empty_scope_never_reaches_the_engine() -> None:
    engine = ScriptedEngine()

    runs = search_legs(engine, scope_of(), LegSearch("lantern", [1.0], 10), limits=LIMITS)

    assert engine.batches == []
    assert runs.lexical.hits == runs.dense.hits == ()


def test_both_legs_go_in_one_batch() -> None:
    engine = ScriptedEngine()

    search_legs(engine, scope_of(1), LegSearch("lantern", [1.0], 10), limits=LIMITS)

    assert [[request.leg for request in batch] for batch in engine.batches] == [[Leg.LEXICAL, Leg.DENSE]]


def test_hits_are_fetched_until_the_score_has_dropped() -> None:
    tie = [Hit(f"p{number:03}", 0.5) for number in reversed(range(100))]
    engine = ScriptedEngine(dense=[*tie, *[Hit(f"q{number}", 0.25) for number in range(100)]])

    runs = search_legs(engine, scope_of(1), LegSearch("", [1.0], 10), limits=LIMITS)

    assert [hit.passage for hit in runs.dense.hits] == [f"p{number:03}" for number in range(10)]
    assert [batch[0].limit for batch in engine.batches] == [10 + MARGIN, 2 * (10 + MARGIN), 4 * (10 + MARGIN)]


def test_a_tie_without_end_is_fetched_up_to_a_limit() -> None:
    engine = ScriptedEngine(dense=[Hit(f"p{number:06}", 0.5) for number in range(2 * MAX_FETCH)])

    search_legs(engine, scope_of(1), LegSearch("", [1.0], 10), limits=LIMITS)

    assert engine.batches[-1][0].limit == MAX_FETCH


def test_a_lexical_score_near_a_border_of_the_grid_is_asked_for_in_pairs_and_summed_here() -> None:
    engine = ScriptedEngine(lexical=[Hit("near", 7.2349999), Hit("far", 7.2321)], parts=[4.0, 3.2350001])

    runs = search_legs(engine, scope_of(1), LegSearch("lantern harbour violin", None, 10), limits=LIMITS)

    assert runs.lexical.hits == (Hit("near", 7.24), Hit("far", 7.23))
    assert [(len(request.vector), request.passages) for request in engine.batches[1]] == [(2, ("near",)), (1, ("near",))]


def test_a_sum_of_two_terms_needs_no_second_request() -> None:
    engine = ScriptedEngine(lexical=[Hit("near", 7.2349999)])

    search_legs(engine, scope_of(1), LegSearch("lantern harbour", None, 10), limits=LIMITS)

    assert len(engine.batches) == 1


def test_terms_are_stemmed_distinct_and_without_stop_words() -> None:
    terms = query_terms("The lanterns and the lantern of harbours")

    assert terms == Terms(query_terms("lantern harbour").hashes, [1.0, 1.0])
    assert list(terms.hashes) == sorted(terms.hashes)
    assert set(terms.hashes) == set(passage_terms("harbour lantern").hashes)


def test_a_term_weighs_as_the_formula_says() -> None:
    """k=1.2, b=.75, 2 tokens against an average of 128: 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 128))."""
    weights = passage_terms("lantern harbour").weights

    assert weights == pytest.approx([2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 128))] * 2)
