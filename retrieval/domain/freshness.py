"""How a source stands by its own promise of freshness."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from retrieval.domain.clock import unstamp


class FreshnessState(StrEnum):
    """Attributes:
    FRESH: read successfully within the time that its owner promises, or nothing is promised.
    LATE: not within that time.
    FAILING: its contract is broken; new content is kept back, and what is shown is what was there before.
    """

    FRESH = "fresh"
    LATE = "late"
    FAILING = "failing"


@dataclass(frozen=True)
class SourceFreshness:
    """`objective_hours` 0: nothing is promised. `is_late` also where the state is `failing`."""

    source: str
    last_success_at: str | None
    objective_hours: int
    state: FreshnessState
    is_late: bool

    @classmethod
    def of(cls, source: str, *, last_success_at: str | None, objective_hours: int, is_failing: bool, now: datetime) -> "SourceFreshness":
        late = bool(objective_hours) and (last_success_at is None or now - unstamp(last_success_at) > timedelta(hours=objective_hours))
        state = FreshnessState.FAILING if is_failing else FreshnessState.LATE if late else FreshnessState.FRESH
        return cls(source, last_success_at, objective_hours, state, late)
