"""Runs that do not depend on the engine's order of equal hits, nor on the order in which it sums."""

from collections.abc import Sequence

import pytest

from retrieval.adapters.qdrant.bm25 import CODE_PART_WEIGHT, Terms, passage_terms, query_terms
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


def test_an_identifier_changes_no_other_terms_weight() -> None:
    plain, with_whole = (
        dict(zip(terms.hashes, terms.weights, strict=True)) for terms in map(passage_terms, ("max retries", "max_retries"))
    )

    assert {term: with_whole[term] for term in plain} == pytest.approx(plain, rel=1e-6)
    assert len(with_whole) == len(plain) + 1


def test_parts_of_camel_case_add_to_the_words_that_stand_in_the_text() -> None:
    """`retry` twice among 2 tokens, for the parts do not count in the length."""
    terms = passage_terms("retryPolicy retry")
    weights = dict(zip(terms.hashes, terms.weights, strict=True))
    saturation = 1.2 * (0.25 + 0.75 * 2 / 128)

    assert weights[query_terms("retry").hashes[0]] == pytest.approx(2 * 2.2 / (2 + saturation))
    assert weights[query_terms("policy").hashes[0]] == pytest.approx(2.2 / (1 + saturation))


@pytest.mark.parametrize("count", [1, 2, 37, 20_000])
def test_however_often_a_term_stands_in_a_text_it_is_counted(count: int) -> None:
    with_identifier, without = passage_terms("lantern " * count + "a_b"), passage_terms("lantern " * count + "a b")
    weights = dict(zip(with_identifier.hashes, with_identifier.weights, strict=True))

    assert [weights[term] for term in without.hashes] == pytest.approx(without.weights, rel=1e-6)


def test_an_identifier_in_a_query_weighs_most_as_a_whole() -> None:
    terms = query_terms("ERR-1042")
    weights = dict(zip(terms.hashes, terms.weights, strict=True))

    assert [weights[query_terms(word).hashes[0]] for word in ("err1042", "err", "1042")] == [1.0, CODE_PART_WEIGHT, CODE_PART_WEIGHT]
    assert list(terms.hashes) == sorted(terms.hashes)


def test_a_part_of_a_code_that_is_asked_for_by_itself_has_its_whole_weight() -> None:
    terms = query_terms("err ERR-1042")

    assert dict(zip(terms.hashes, terms.weights, strict=True))[query_terms("err").hashes[0]] == 1.0
