"""Two legs' runs as one: a convex combination of their normalised scores, or of their reciprocal ranks.

The convex combination is the default: it keeps how much better one hit is than the next (Bruch, Gai and Ingber, "An Analysis of Fusion
Functions for Hybrid Retrieval", TOIS 2023). A fused score is made of nothing but the hits of the two runs.
"""

from collections.abc import Mapping

from retrieval.domain.runs import SCORE_DECIMALS, FusedHit, Run

DENSE_FLOOR = 0.4
"""What the last hit of a dense run is worth when the first is worth 1 and a passage that was not found 0.

BM25 has a zero of its own, no common term; a cosine has none, and its usual range is the model's. Taken from tuning splits, together with
the weight's default, by `python -m retrieval.evaluation.tune`: nDCG@10 changes little between .2 and .5, recall@100 prefers more.
"""
RANK_CONSTANT = 60
"""From Cormack, Clarke and Buettcher (SIGIR 2009). Not the top-k cut-off."""


def fuse(lexical: Run, dense: Run, *, lexical_weight: float) -> tuple[FusedHit, ...]:
    """Every hit of either run, best first, ties by passage id.

    A passage has from each leg a share between 0 (not found) and 1 (the leg's first hit): of the lexical score, its proportion of
    the best; of the dense score, its place between the last hit's and the best.

    Args:
        lexical: the lexical leg's hits.
        dense: the dense leg's hits.
        lexical_weight: share of the lexical leg, 0 to 1; the dense leg has the rest.
    """
    return _fused(lexical, dense, _proportions(lexical), _stretched(dense), lexical_weight)


def fuse_by_rank(lexical: Run, dense: Run, *, lexical_weight: float, rank_constant: int = RANK_CONSTANT) -> tuple[FusedHit, ...]:
    """Weighted reciprocal rank fusion: the sum over both runs of weight / (rank constant + rank). For runs whose scores say little."""
    return _fused(lexical, dense, _reciprocal(lexical, rank_constant), _reciprocal(dense, rank_constant), lexical_weight)


def _proportions(run: Run) -> dict[str, float]:
    best = run.hits[0].score if run.hits else 0.0
    return {hit.passage: hit.score / best for hit in run.hits if best > 0}


def _stretched(run: Run) -> dict[str, float]:
    if not run.hits:
        return {}
    best, last = run.hits[0].score, run.hits[-1].score
    if best == last:
        return dict.fromkeys((hit.passage for hit in run.hits), 1.0)
    return {hit.passage: DENSE_FLOOR + (1 - DENSE_FLOOR) * (hit.score - last) / (best - last) for hit in run.hits}


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
