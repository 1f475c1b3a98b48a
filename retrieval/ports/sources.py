"""The registry of sources: the table is the truth, Dagster's partitions are its projection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from retrieval.domain.ingestion import RunProgress
from retrieval.domain.sources import SourceSpec, SourceState


@dataclass(frozen=True)
class RegisteredSource:
    """A source as it is registered now. `version` counts registrations with a change in them."""

    spec: SourceSpec
    version: int
    state: SourceState
    registered_at: str
    registered_by: str
    last_success_at: str | None
    last_success_version: int | None


@dataclass(frozen=True)
class SourceStatus:
    """How a source stands. Counts are of documents, except `passages`."""

    source: RegisteredSource
    documents: int
    readable: int
    """Current documents that somebody may read."""
    nobody_reads: int
    """Listed documents whose permissions name no reader."""
    quarantined: int
    passages: int
    formats: Mapping[str, int] = field(default_factory=dict)
    last_run: RunProgress | None = None


class SourceRegistry(Protocol):
    def register(self, spec: SourceSpec, *, by: str) -> int:
        """Register or change a source; the same spec again changes nothing. Returns its version.

        Raises:
            Conflict: the source is retired, or registered with another kind.
        """

    def set_state(self, source: str, state: SourceState, *, by: str) -> None:
        """Pause or resume. Raises InvalidInput for an unknown source, Conflict for a retired one."""

    def get(self, source: str) -> RegisteredSource:
        """Raises InvalidInput naming `source` when there is none."""

    def list(self) -> list[RegisteredSource]: ...

    def status(self, source: str) -> SourceStatus: ...
