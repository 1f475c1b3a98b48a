"""Both legs of one search, over any engine that answers ranked requests: the same runs whatever the reader may not see.

Two things would let hidden passages show through a correct filter, and are settled here:

- Which of several equal hits fall inside the limit. Hits are fetched past the cut until the score has dropped.
- Float noise. The engine sums the products of a lexical score in the order in which it first met the terms, hidden
  passages included, so sums of three or more terms differ in the last bits (up to 8e-6 in 1.4 % of hits, measured).
  Lexical scores are therefore compared on a grid, and those too near to a border of the grid to tell are asked for
  again, two terms at a time: a sum of two does not depend on their order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from retrieval.adapters.qdrant.bm25 import Terms, query_terms, sought_words
from retrieval.adapters.qdrant.planner import DenseLimits, DensePlan, plan_dense
from retrieval.domain.permissions import AccessScope
from retrieval.domain.runs import SCORE_DECIMALS, Hit, Leg, Run
from retrieval.ports.reading import LegRuns, LegSearch

MARGIN = 16
"""Hits fetched beyond the depth at first. Ties at the cut are mostly shorter."""

MAX_FETCH = 16_384
"""Most hits fetched to get past a tie. Only more equal passages than this are cut in the engine's order."""

LEXICAL_DECIMALS = 2
_NOISE_PER_TERM = 1.5 * 2**-24
"""Relative to the score: each product and each addition rounds once to float32; half as much again to be safe."""


@dataclass(frozen=True)
class LegRequest:
    """One ranked request.

    Attributes:
        passages: only these; empty: all that the scope reads.
        phrases: only passages that hold each of them.
        model: of the dense leg, whose vectors are compared; empty: the index's own.
    """

    leg: Leg
    vector: Terms | Sequence[float]
    limit: int
    plan: DensePlan
    passages: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    model: str = ""


class Engine(Protocol):
    """Answers ranked requests in one batch, each under the filter of scope and sources, IDF over the same passages."""

    def ask(self, scope: AccessScope, sources: Sequence[str], requests: Sequence[LegRequest]) -> list[list[Hit]]: ...

    def readable_passages(self, scope: AccessScope) -> int: ...


def search_legs(engine: Engine, scope: AccessScope, search: LegSearch, *, limits: DenseLimits) -> LegRuns:
    """Both legs, ranked. An empty scope gives empty runs without asking the engine."""
    if scope.is_empty:
        return LegRuns(Run(Leg.LEXICAL, ()), Run(Leg.DENSE, ()))
    if scope.as_of is not None:  # the catalog counts what is current
        scope = replace(scope, readable_passages=engine.readable_passages(scope))
    terms = query_terms(search.text)
    found = _fetch(engine, scope, search.sources, _requests(scope, search, terms, limits), depth=search.depth)
    lexical = _settled(engine, scope, search.sources, terms, found.get(Leg.LEXICAL, []))
    return LegRuns(
        lexical=Run.ranked(Leg.LEXICAL, lexical, depth=search.depth),
        dense=Run.ranked(Leg.DENSE, found.get(Leg.DENSE, []), depth=search.depth),
        terms=sought_words(search.text) if search.explain else (),
    )


def _requests(scope: AccessScope, search: LegSearch, terms: Terms, limits: DenseLimits) -> list[LegRequest]:
    limit = search.depth + MARGIN
    plan = DensePlan(exact=True) if search.phrases else plan_dense(scope, limit=limit, limits=limits)
    requests = []
    if len(terms):
        requests.append(LegRequest(Leg.LEXICAL, terms, limit, plan, phrases=search.phrases))
    if search.vector is not None:
        requests.append(LegRequest(Leg.DENSE, [float(x) for x in search.vector], limit, plan, phrases=search.phrases, model=search.model))
    return requests


def _fetch(
    engine: Engine, scope: AccessScope, sources: Sequence[str], requests: Sequence[LegRequest], *, depth: int
) -> dict[Leg, list[Hit]]:
    """Every hit that could be among the first `depth` after rounding."""
    found: dict[Leg, list[Hit]] = {}
    while requests:
        answers = engine.ask(scope, sources, requests)
        found.update({request.leg: hits for request, hits in zip(requests, answers, strict=True)})
        requests = [
            replace(request, limit=min(2 * request.limit, MAX_FETCH))
            for request, hits in zip(requests, answers, strict=True)
            if request.limit < MAX_FETCH and len(hits) >= request.limit and not _dropped(request, hits, depth)
        ]
    return found


def _dropped(request: LegRequest, hits: Sequence[Hit], depth: int) -> bool:
    """Whether the last hit is certainly below the one at the cut, by more than rounding and noise can bridge."""
    cut, last = hits[depth - 1].score, hits[-1].score
    if request.leg is Leg.DENSE:
        return cut - last > math.pow(10, -SCORE_DECIMALS)
    return cut - last > math.pow(10, -LEXICAL_DECIMALS) + 2 * _noise(cut, len(request.vector))


def _settled(engine: Engine, scope: AccessScope, sources: Sequence[str], terms: Terms, hits: Sequence[Hit]) -> list[Hit]:
    """Lexical hits with scores on the grid, each on the same point of it however the engine summed."""
    doubtful = tuple(hit.passage for hit in hits if _near_a_border(hit.score, len(terms))) if len(terms) > 2 else ()
    exact = _exact(engine, scope, sources, terms, doubtful) if doubtful else {}
    return [Hit(hit.passage, round(exact.get(hit.passage, hit.score), LEXICAL_DECIMALS)) for hit in hits]


def _near_a_border(score: float, terms: int) -> bool:
    """Borders of the grid lie half way between its points."""
    steps = math.pow(10, LEXICAL_DECIMALS)
    return abs(score * steps % 1.0 - 0.5) <= _noise(score, terms) * steps


def _noise(score: float, terms: int) -> float:
    return abs(score) * terms * _NOISE_PER_TERM


def _exact(engine: Engine, scope: AccessScope, sources: Sequence[str], terms: Terms, passages: tuple[str, ...]) -> dict[str, float]:
    """The scores of these passages, summed in the order of the terms' hashes."""
    plan = DensePlan(exact=True)
    requests = [LegRequest(Leg.LEXICAL, pair, len(passages), plan, passages) for pair in terms.in_pairs()]
    scores: dict[str, float] = {}
    for hits in engine.ask(scope, sources, requests):
        for hit in hits:
            scores[hit.passage] = scores.get(hit.passage, 0.0) + hit.score
    return scores
