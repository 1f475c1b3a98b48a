"""Two legs' runs as one: a convex combination of their normalised scores, or of their reciprocal ranks.

The convex combination is the default: it keeps how much better one hit is than the next (Bruch, Gai and Ingber, "An Analysis of Fusion
Functions for Hybrid Retrieval", TOIS 2023). A fused score is made of nothing but the hits of the two runs.
"""

from collections.abc import Mapping

from retrieval.domain.runs import SCORE_DECIMALS, FusedHit, Run

RANK_CONSTANT = 60
"""From Cormack, Clarke and Buettcher (SIGIR 2009). Not the top-k cut-off."""


def fuse(lexical: Run, dense: Run, *, lexical_weight: float) -> tuple[FusedHit, ...]:
    """Every hit of either run, best first, ties by passage id.

    Each run's scores are stretched to 0 (its last hit) to 1 (its first); a passage that a run does not hold has 0 there.

    Args:
        lexical: the lexical leg's hits.
        dense: the dense leg's hits.
        lexical_weight: share of the lexical leg, 0 to 1; the dense leg has the rest.
    """
    return _fused(lexical, dense, _stretched(lexical), _stretched(dense), lexical_weight)


def fuse_by_rank(lexical: Run, dense: Run, *, lexical_weight: float, rank_constant: int = RANK_CONSTANT) -> tuple[FusedHit, ...]:
    """Weighted reciprocal rank fusion: the sum over both runs of weight / (rank constant + rank). For runs whose scores say little."""
    return _fused(lexical, dense, _reciprocal(lexical, rank_constant), _reciprocal(dense, rank_constant), lexical_weight)


def _stretched(run: Run) -> dict[str, float]:
    if not run.hits:
        return {}
    best, worst = run.hits[0].score, run.hits[-1].score
    if best == worst:
        return dict.fromkeys((hit.passage for hit in run.hits), 1.0)
    return {hit.passage: (hit.score - worst) / (best - worst) for hit in run.hits}


def _reciprocal(run: Run, rank_constant: int) -> dict[str, float]:
    return {hit.passage: 1 / (rank_constant + rank) for rank, hit in enumerate(run.hits, 1)}


def _fused(
    lexical: Run, dense: Run, lexical_shares: Mapping[str, float], dense_shares: Mapping[str, float], lexical_weight: float
) -> tuple[FusedHit, ...]:
    places = {hit.passage: (rank, hit.score) for rank, hit in enumerate(lexical.hits, 1)}
    dense_places = {hit.passage: (rank, hit.score) for rank, hit in enumerate(dense.hits, 1)}
    fused = []
    for passage in places.keys() | dense_places.keys():
        score = lexical_weight * lexical_shares.get(passage, 0.0) + (1 - lexical_weight) * dense_shares.get(passage, 0.0)
        fused.append(
            FusedHit(
                passage,
                round(score, SCORE_DECIMALS),
                *places.get(passage, (None, None)),
                *dense_places.get(passage, (None, None)),
            )
        )
    return tuple(sorted(fused, key=lambda hit: (-hit.score, hit.passage)))
