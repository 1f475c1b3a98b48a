"""The final order: reranked hits first, by their new scores, then the others as they were fused."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from retrieval.domain.runs import SCORE_DECIMALS, FusedHit

SPREAD = 4.0
"""Rerankers' scores are squeezed into 0 to 1 by a logistic curve; divided by so much before, it tells them apart where they differ."""
_MOST_FUSED = 0.99


def reordered(fused: Sequence[FusedHit], scores: Mapping[str, float]) -> tuple[FusedHit, ...]:
    """All hits, best first, ties by passage id; each reranked one above each that is not.

    Args:
        fused: best first.
        scores: passage id to the reranker's score.
    """
    rest = [hit for hit in fused if hit.passage not in scores]
    floor = min(max((hit.score for hit in rest), default=0.0), _MOST_FUSED)
    kept = [replace(hit, score=min(hit.score, floor)) for hit in rest]
    reranked = [hit for hit in fused if hit.passage in scores]
    placed = sorted(reranked, key=lambda hit: (-scores[hit.passage], hit.passage))
    return (
        *(replace(hit, score=round(floor + (1 - floor) * _squeezed(scores[hit.passage]), SCORE_DECIMALS)) for hit in placed),
        *kept,
    )


def _squeezed(score: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, score / SPREAD))))
