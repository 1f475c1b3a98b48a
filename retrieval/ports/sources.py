"""The registry of sources: the table is the truth, Dagster's partitions are its projection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from retrieval.domain.ingestion import RunProgress
from retrieval.domain.permissions import Principal
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
class Registration:
    """One version of a source's registration: what was registered, when and by whom."""

    spec: SourceSpec
    version: int
    registered_at: str
    registered_by: str


class PermissionAge(StrEnum):
    """What the age of a source's permissions means for its readers now.

    Attributes:
        FRESH: they were read recently enough, or never have to be read again.
        WARNED: too old; its documents are shown with a warning, as the source wants it.
        WITHHELD: too old; nobody reads its documents until its permissions have been read again.
    """

    FRESH = "fresh"
    WARNED = "warned"
    WITHHELD = "withheld"


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
    permissions_read_at: str | None = None
    permissions: PermissionAge = PermissionAge.FRESH


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

    def history(self, source: str) -> tuple[Registration, ...]:
        """Every version of the registration, newest first. Raises InvalidInput naming `source` when there is none."""

    def status(self, source: str) -> SourceStatus: ...


class OwnedSources(Protocol):
    def owned(self, principal: Principal, *, after: str, count: int) -> tuple[SourceStatus, ...]:
        """At most `count` sources with ids greater than `after` that the principal, or a group it is in, owns. No retired ones."""

    def one(self, principal: Principal, source: str) -> tuple[SourceStatus, tuple[Registration, ...]]:
        """A source that it owns, retired or not, and every version of its registration, newest first.

        Raises:
            NotReadable: there is none, or it is another's.
        """

    def acting(self, principal: Principal) -> frozenset[str]:
        """The subjects that the principal acts as where it is about owning: its own and its groups'; none when it is inactive."""
