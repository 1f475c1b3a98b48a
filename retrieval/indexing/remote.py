"""Keeping an index on a server true to the catalog, from the process that writes it, and waiting for it from those that read."""

import time
from collections.abc import Callable
from typing import Protocol

from retrieval.indexing.follower import Follower, IndexAhead
from retrieval.ports.writing import ChangeFeed, IndexWriter

POLL_SECONDS = 0.05


class RebuildableIndex(IndexWriter, Protocol):
    """An index that can be filled anew beside itself and exchanged."""

    @property
    def needs_build(self) -> bool: ...

    def rebuild(self, fill: Callable[[IndexWriter], object]) -> None: ...


def bring_up(feed: ChangeFeed, index: RebuildableIndex, *, batch_documents: int, deadline_seconds: float | None = None) -> int:
    """Build the index if there is none or if it is ahead of the catalog, then apply what is new. Returns the applied revision."""

    def fill(writer: IndexWriter) -> None:
        Follower(feed, writer, batch_documents=batch_documents).catch_up(None)

    if index.needs_build:
        index.rebuild(fill)
    try:
        return Follower(feed, index, batch_documents=batch_documents).catch_up(deadline_seconds)
    except IndexAhead:
        index.rebuild(fill)
        return index.applied_revision()


def wait_until_applied(applied_revision: Callable[[], int], revision: int, *, seconds: float) -> int:
    """Wait until an index that somebody else writes shows `revision`, or the time is up. Returns what it shows."""
    end = time.monotonic() + seconds
    while (applied := applied_revision()) < revision and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return applied
