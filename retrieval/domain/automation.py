"""When a source is to be run again: worked out from what the catalog knows, so that no restart and no lost run forgets it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from retrieval.domain.clock import stamp
from retrieval.domain.ingestion import SUCCEEDED
from retrieval.domain.sources import SourceState


class Why(StrEnum):
    """What a source waits for a run for.

    Attributes:
        REGISTERED: no run has succeeded with its registration as it is now.
        UNFINISHED: a run was asked for or begun, and none has succeeded since.
        PUSHED: something was pushed since the last run that succeeded began.
    """

    REGISTERED = "registered"
    UNFINISHED = "unfinished"
    PUSHED = "pushed"


@dataclass(frozen=True)
class RetryPace:
    """How long to wait before a source that failed is run again: twice as long each time, up to a limit, and never given up.

    Raises:
        ValueError: the longest pause is shorter than the first.
    """

    first_seconds: int = 60
    longest_seconds: int = 3600

    def __post_init__(self) -> None:
        if self.longest_seconds < self.first_seconds:
            raise ValueError("the longest pause is shorter than the first")

    def pause(self, attempts: int) -> timedelta:
        """After that many attempts, at least one."""
        doublings = min(max(attempts, 1) - 1, 32)
        return timedelta(seconds=min(self.first_seconds * 2**doublings, self.longest_seconds))

    def next_attempt_at(self, attempts: int, now: datetime) -> str:
        return stamp(now + self.pause(attempts))


@dataclass(frozen=True)
class SourceOutlook:
    """What the catalog knows of one source's runs.

    Attributes:
        succeeded_version: the registered version that a run last succeeded with; None before the first success.
        last_outcome: of the newest run; None while it works, when it was killed, and when there was none.
        has_run: whether there was one.
        waiting_pushes: changes pushed since the start of the newest run that succeeded.
        attempts: runs asked for since the last success.
        asked_version: the registered version that a run was last asked for.
        next_attempt_at: no run is asked for before; None: at once.
    """

    source: str
    state: SourceState
    version: int
    succeeded_version: int | None
    last_outcome: str | None
    has_run: bool
    waiting_pushes: int = 0
    attempts: int = 0
    asked_version: int | None = None
    next_attempt_at: str | None = None

    @property
    def why(self) -> Why | None:
        """What it waits for; None for one that waits for nothing, or is not active."""
        if self.state is not SourceState.ACTIVE:
            return None
        if self.succeeded_version != self.version:
            return Why.REGISTERED
        if self.attempts or (self.has_run and self.last_outcome != SUCCEEDED):
            return Why.UNFINISHED
        return Why.PUSHED if self.waiting_pushes else None

    def is_due(self, now: str) -> bool:
        """Whether a run is to be asked for now. A change of the registration does not wait: it may be what mends the source."""
        if self.why is None:
            return False
        return self.asked_version != self.version or self.next_attempt_at is None or self.next_attempt_at <= now
