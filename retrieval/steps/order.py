"""The final order: reranked hits first, by their new scores, then the others as they were fused."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from retrieval.domain.runs import SCORE_DECIMALS, FusedHit

SPREAD = 4.0
"""Rerankers' scores are squeezed into 0 to 1 by a logistic curve; divided by so much before, it tells them apart where they differ."""
_MOST_FUSED = 0.99


def reordered(fused: Sequence[FusedHit], scores: Mapping[str, float], *, graph_weight: float = 0.0) -> tuple[FusedHit, ...]:
    """All hits, best first, ties by passage id; each reranked one above each that is not.

    What the graph adds is added again: a passage that answers the second half of a question need not look like the question, and no
    reranker that reads only both can tell.

    Args:
        fused: best first.
        scores: passage id to the reranker's score.
        graph_weight: what the graph's score counts beside the squeezed score.
    """
    rest = [hit for hit in fused if hit.passage not in scores]
    floor = min(max((hit.score for hit in rest), default=0.0), _MOST_FUSED)
    reranked = [hit for hit in fused if hit.passage in scores]
    worth = {hit.passage: _squeezed(scores[hit.passage]) + graph_weight * (hit.graph_score or 0.0) for hit in reranked}
    most = max(1.0, *worth.values()) if worth else 1.0
    placed = [replace(hit, score=round(floor + (1 - floor) * worth[hit.passage] / most, SCORE_DECIMALS)) for hit in reranked]
    kept = [hit if hit.score <= floor else replace(hit, score=floor) for hit in rest]
    return (*sorted(placed, key=lambda hit: (-hit.score, hit.passage)), *kept)


def _squeezed(score: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, score / SPREAD))))
