"""Runs as one: a convex combination of their normalised scores, of their standardised scores, or of their reciprocal ranks.

The convex combination is the default: it keeps how much better one hit is than the next (Bruch, Gai and Ingber, "An Analysis of Fusion
Functions for Hybrid Retrieval", TOIS 2023). A fused score is made of nothing but the hits of the runs.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import Literal, Protocol

from retrieval.domain.runs import SCORE_DECIMALS, FusedHit, Leg, Run

DENSE_FLOOR = 0.4
"""What the last hit of a dense run is worth when the first is worth 1 and a passage that was not found 0.

BM25 has a zero of its own, no common term; a cosine has none, and its usual range is the model's. Taken from tuning splits, together with
the weight's default, by `python -m retrieval.evaluation.tune`: nDCG@10 changes little between .2 and .5, recall@100 prefers more.
"""
FEEDBACK_SHARE = 0.75
"""Of the dense leg's weight, what its second search has where there was one."""
LEXICAL_BESIDE_FEEDBACK = 0.8
"""Where there was one, the lexical leg counts so much of its weight: what is found first has words enough in it. Both from tuning splits,
where nDCG@10 stays within .005 and recall@100 gains .005 on scifact and .02 on nfcorpus."""
RANK_CONSTANT = 60
"""From Cormack, Clarke and Buettcher (SIGIR 2009). Not the top-k cut-off."""
_DEVIATIONS = 3.0
_NOWHERE = (None, None)

Method = Literal["convex", "rank", "distribution"]
Shares = Mapping[str, float]
_Share = Callable[[Run], Shares]


def fuse_as(method: Method, lexical: Run, dense: Run, *, lexical_weight: float, feedback: Run | None = None) -> tuple[FusedHit, ...]:
    """`fuse`, `fuse_by_rank` or `fuse_by_distribution`: every hit of any run, best first, ties by passage id."""
    return _METHODS[method](lexical, dense, lexical_weight=lexical_weight, feedback=feedback)


def fuse(lexical: Run, dense: Run, *, lexical_weight: float, feedback: Run | None = None) -> tuple[FusedHit, ...]:
    """Every hit of any run, best first, ties by passage id.

    A passage has from each leg a share between 0 (not found) and 1 (the leg's first hit): of the lexical score, its proportion of
    the best; of a dense score, its place between the last hit's and the best.

    Args:
        lexical: the lexical leg's hits.
        dense: the dense leg's hits.
        lexical_weight: share of the lexical leg, 0 to 1; the dense leg has the rest.
        feedback: hits of the dense leg's second search, if there was one.
    """
    return _fused([(lexical, _proportions), *_of_dense(_stretched, dense, feedback)], lexical_weight)


def fuse_by_rank(
    lexical: Run, dense: Run, *, lexical_weight: float, feedback: Run | None = None, rank_constant: int = RANK_CONSTANT
) -> tuple[FusedHit, ...]:
    """Weighted reciprocal rank fusion: the sum over the runs of weight / (rank constant + rank). For runs whose scores say little.

    All of it times (rank constant + 1), so that a leg's first hit is worth 1 and the graph's score weighs the same beside it.
    """

    def reciprocal(run: Run) -> Shares:
        return {hit.passage: (rank_constant + 1) / (rank_constant + rank) for rank, hit in enumerate(run.hits, 1)}

    return _fused([(lexical, reciprocal), *_of_dense(reciprocal, dense, feedback)], lexical_weight)


def fuse_by_distribution(lexical: Run, dense: Run, *, lexical_weight: float, feedback: Run | None = None) -> tuple[FusedHit, ...]:
    """Distribution-based score fusion: each score by its place between three standard deviations below and above its run's mean.

    Mazzeschi, "Distribution-Based Score Fusion" (2023).
    """
    return _fused([(lexical, _distributed), *_of_dense(_distributed, dense, feedback)], lexical_weight)


class _Fuse(Protocol):
    def __call__(self, lexical: Run, dense: Run, *, lexical_weight: float, feedback: Run | None = None) -> tuple[FusedHit, ...]: ...


_METHODS: Mapping[Method, _Fuse] = {"convex": fuse, "rank": fuse_by_rank, "distribution": fuse_by_distribution}


def weights(*, lexical_weight: float, with_feedback: bool) -> Mapping[Leg, float]:
    """What each leg's share counts in the fused score."""
    if not with_feedback:
        return {Leg.LEXICAL: lexical_weight, Leg.DENSE: 1 - lexical_weight}
    lexical = lexical_weight * LEXICAL_BESIDE_FEEDBACK
    dense = 1 - lexical
    return {Leg.LEXICAL: lexical, Leg.DENSE: dense * (1 - FEEDBACK_SHARE), Leg.FEEDBACK: dense * FEEDBACK_SHARE}


def _of_dense(share: _Share, dense: Run, feedback: Run | None) -> Sequence[tuple[Run, _Share]]:
    return [(dense, share)] if feedback is None else [(dense, share), (feedback, share)]


def _proportions(run: Run) -> Shares:
    best = run.hits[0].score if run.hits else 0.0
    return {hit.passage: hit.score / best for hit in run.hits if best > 0}


def _stretched(run: Run) -> Shares:
    if not run.hits:
        return {}
    best, last = run.hits[0].score, run.hits[-1].score
    if best == last:
        return dict.fromkeys((hit.passage for hit in run.hits), 1.0)
    return {hit.passage: DENSE_FLOOR + (1 - DENSE_FLOOR) * (hit.score - last) / (best - last) for hit in run.hits}


def _distributed(run: Run) -> Shares:
    scores = [hit.score for hit in run.hits]
    width = 2 * _DEVIATIONS * pstdev(scores) if scores else 0.0
    if width == 0:
        return dict.fromkeys((hit.passage for hit in run.hits), 0.5)
    lowest = fmean(scores) - width / 2
    return {hit.passage: min(max((hit.score - lowest) / width, 0.0), 1.0) for hit in run.hits}


def _fused(runs: Sequence[tuple[Run, _Share]], lexical_weight: float) -> tuple[FusedHit, ...]:
    counts = weights(lexical_weight=lexical_weight, with_feedback=len(runs) > 2)
    shares: dict[str, dict[Leg, float]] = {}
    places: dict[Leg, dict[str, tuple[int, float]]] = {leg: {} for leg in Leg}
    for run, share in runs:
        leg, of_run, place = run.leg, share(run), places[run.leg]
        for rank, hit in enumerate(run.hits, 1):
            place[hit.passage] = rank, hit.score
            shares.setdefault(hit.passage, {})[leg] = of_run.get(hit.passage, 0.0)
    lexical, dense, feedback = (places[leg] for leg in (Leg.LEXICAL, Leg.DENSE, Leg.FEEDBACK))
    hits = []
    for passage, found in shares.items():
        score = round(sum([counts[leg] * share for leg, share in found.items()]), SCORE_DECIMALS)
        (lexical_rank, lexical_score), (dense_rank, dense_score) = lexical.get(passage, _NOWHERE), dense.get(passage, _NOWHERE)
        feedback_rank, feedback_score = feedback.get(passage, _NOWHERE)
        hits.append(
            FusedHit(
                passage,
                score,
                lexical_rank,
                lexical_score,
                dense_rank,
                dense_score,
                feedback_rank=feedback_rank,
                feedback_score=feedback_score,
                shares=found,
            )
        )
    hits.sort(key=lambda hit: (-hit.score, hit.passage))
    return tuple(hits)
