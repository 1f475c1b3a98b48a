"""Writing to an index, and what an index follows. Not importable from `api` or `retrieval.steps`."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from retrieval.domain.passages import IndexedDocument


@dataclass(frozen=True)
class Change:
    """A document about which an index must look again. `access_only`: its passages are the same, its class moved."""

    revision: int
    document: str
    access_only: bool


@dataclass(frozen=True)
class Reclassification:
    document: str
    access_class: int


class IndexWriter(Protocol):
    """The writing side of an index. Every call is idempotent and may be repeated after a crash."""

    def replace(self, documents: Sequence[IndexedDocument]) -> None:
        """Make the index hold exactly these documents' passages, and none of the documents that come without any."""

    def reclassify(self, changes: Sequence[Reclassification]) -> None:
        """Move all points of each document to its access class; vectors and texts stay."""

    def applied(self, revision: int) -> None:
        """Everything up to `revision` has been written: remember it, durably no sooner than the points are durable."""

    def applied_revision(self) -> int:
        """The last revision remembered; 0 for an index that holds nothing."""


class ChangeFeed(Protocol):
    """The catalog's outbox, as an index follows it."""

    def revision(self) -> int:
        """The catalog's revision now: one cheap read."""

    def changes(self, after: int, *, limit: int) -> list[Change]:
        """The next changes in revision order, at most `limit` revisions' worth but never half a revision.

        A document whose content and access changed at different revisions after `after` has a change at each: were only
        the later, access-only one listed, an index that takes few changes at a time would never see the content.
        """

    def indexed_documents(self, documents: Sequence[str]) -> list[IndexedDocument]:
        """Their state now, in one snapshot; a withdrawn or unknown document comes without passages."""

    def snapshot(self) -> AbstractContextManager[tuple[int, Iterator[IndexedDocument]]]:
        """All current documents at one revision, for building an index from nothing."""


@dataclass(frozen=True)
class FollowerStatus:
    """An index that follows the catalog, as it last reported. `state`: `ready`, `building` or what hinders it."""

    name: str
    applied_revision: int
    generation: int
    passages: int
    state: str
    heartbeat_at: str
    process: int
    host: str


class FollowerRegistry(Protocol):
    """Where followers report, and where operators look."""

    def report(self, name: str, *, applied_revision: int, generation: int, passages: int, state: str) -> bool:
        """Heartbeat. True when somebody has asked for this index to be built anew."""

    def rebuild_started(self, name: str) -> None:
        """The request is being served."""

    def request_rebuild(self, name: str | None = None) -> int:
        """Ask one follower, or all, to build anew. Returns how many were asked."""

    def followers(self) -> list[FollowerStatus]: ...

    def is_alive(self, follower: FollowerStatus) -> bool: ...
