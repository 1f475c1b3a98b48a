"""Why a hit stands at its rank and why its reader may read it. Made only when asked for, from what the caller may read and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from retrieval.domain.runs import Leg


@dataclass(frozen=True)
class LegPlace:
    """What one leg said of a passage.

    Attributes:
        rank: 1 is best, among what the caller may read.
        score: the leg's own; comparable within this leg and this query.
        share: the score as fusion compares it, 0 to 1.
        contribution: what the leg added to the fused score: its share times its weight.
    """

    rank: int
    score: float
    share: float
    contribution: float


@dataclass(frozen=True)
class Reranked:
    """What the reranker made of a hit.

    Attributes:
        by: the reranker's name, e.g. `features` or `cohere/rerank-v3.5`.
        score: comparable within this query.
        contributions: feature name to what it added to the score; empty for a model that names no features.
    """

    by: str
    score: float
    contributions: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class HitExplanation:
    """One hit, explained.

    Attributes:
        legs: the legs that found the passage, each with the place it gave it.
        fused_score: after fusion, before reranking.
        rerank: None when the hits were not reranked, or not this one.
        graph_path: names along the way from the query to the passage, entities and titles that the caller may read; empty without one.
        readable_by: the caller's own subjects that a grant allows to read the passage: `everyone`, the caller, groups it is in.
            Nothing of anybody else's grants.
    """

    legs: Mapping[Leg, LegPlace]
    fused_score: float
    rerank: Reranked | None = None
    graph_path: tuple[str, ...] = ()
    readable_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """One retrieval, explained.

    Attributes:
        terms: what the lexical leg looked for, in the order of the query.
        phrases: quoted phrases that every hit holds.
        legs: those that ran, whatever they found.
        weights: each leg's part of the fused score.
        hits: by passage id; those of the result and no others.
    """

    terms: tuple[str, ...]
    phrases: tuple[str, ...]
    legs: tuple[Leg, ...]
    weights: Mapping[Leg, float]
    hits: Mapping[str, HitExplanation]
