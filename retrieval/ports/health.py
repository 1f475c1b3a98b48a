"""How sources stand: for their owners, and for whoever is shown what they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from retrieval.domain.contracts import Rule
from retrieval.domain.freshness import SourceFreshness
from retrieval.domain.sources import SourceState


@dataclass(frozen=True)
class BrokenRule:
    """A rule that does not hold. `found`: counts and names for the owner; `since`: when it was first found broken."""

    rule: Rule
    blocks: bool
    found: str
    since: str


@dataclass(frozen=True)
class SourceHealth:
    """One source now. `documents`: current ones; `age_hours` since its last success, None if it never succeeded."""

    source: str
    title: str
    owner: str
    state: SourceState
    schedule: str
    freshness: SourceFreshness
    age_hours: float | None
    documents: int
    quarantined: int
    broken: tuple[BrokenRule, ...]


class FreshnessReader(Protocol):
    """For whoever is shown what sources hold."""

    def freshness(self, sources: Sequence[str]) -> Mapping[str, SourceFreshness]:
        """Of sources that the caller has been shown something from. One read."""


class HealthReader(Protocol):
    """For owners and operators."""

    def of(self, sources: Sequence[str] | None = None) -> tuple[SourceHealth, ...]:
        """By id; None: every source that is not retired. Not for readers: it counts what they may not read."""
