"""Ranked hits. A score compares only within its own run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SCORE_DECIMALS = 5
"""Scores are rounded before they are compared, so that float noise cannot order equal hits."""


class Leg(StrEnum):
    """One way of searching."""

    LEXICAL = "lexical"
    DENSE = "dense"
    FEEDBACK = "feedback"
    """The dense leg once more, from the query and what was found first."""
    GRAPH = "graph"


@dataclass(frozen=True)
class Hit:
    passage: str
    score: float


@dataclass(frozen=True)
class Run:
    """A leg's hits for one query, best first, ties by passage id."""

    leg: Leg
    hits: tuple[Hit, ...]

    @classmethod
    def ranked(cls, leg: Leg, hits: Iterable[Hit], *, depth: int) -> "Run":
        rounded = (Hit(hit.passage, round(hit.score, SCORE_DECIMALS)) for hit in hits)
        return cls(leg, tuple(sorted(rounded, key=lambda hit: (-hit.score, hit.passage))[:depth]))

    def without(self, passages: frozenset[str]) -> "Run":
        """The same run as if none of these passages had been found."""
        return Run(self.leg, tuple(hit for hit in self.hits if hit.passage not in passages))


@dataclass(frozen=True)
class FusedHit:
    """A passage after fusion, with the rank (1 is best) and score each leg gave it; None where the leg did not find it.

    Attributes:
        shares: leg to the score as fusion compared it, 0 to 1; of the legs that found the passage.
    """

    passage: str
    score: float
    lexical_rank: int | None
    lexical_score: float | None
    dense_rank: int | None
    dense_score: float | None
    graph_rank: int | None = None
    graph_score: float | None = None
    feedback_rank: int | None = None
    feedback_score: float | None = None
    shares: Mapping[Leg, float] = field(default_factory=dict)
