"""Applying the catalog's changes to an index, whichever index it is.

Changes say only which documents to look at again. The follower reads what each document is now and makes the index hold
that, so repeating, reordering or losing the memory of what was applied harms nothing.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from retrieval.domain.errors import IndexUnavailable
from retrieval.ports.writing import ChangeFeed, IndexWriter, Reclassification


class IndexAhead(IndexUnavailable):
    """The index has applied revisions that the catalog has not reached: the catalog was restored, the index must be built anew."""


@dataclass(frozen=True)
class _Batch:
    """Documents to look at again; what counts is `revision`, reached when its last batch is applied."""

    documents: tuple[str, ...]
    access_only: frozenset[str]
    revision: int
    is_last: bool


class Follower:
    """Brings one IndexWriter to the catalog's revision in small batches. Thread-safe: one thread applies, the others wait."""

    def __init__(self, feed: ChangeFeed, writer: IndexWriter, *, batch_documents: int) -> None:
        self._feed = feed
        self._writer = writer
        self._batch_documents = batch_documents
        self._lock = threading.Lock()
        self._pending: deque[_Batch] = deque()

    def catch_up(self, deadline_seconds: float | None) -> int:
        """Apply what is new until nothing is, or until the deadline; None waits as long as it takes. Returns the applied revision.

        When nothing is new this is one cheap read of the catalog.

        Raises:
            CatalogUnavailable: the catalog cannot be read.
            IndexUnavailable: the index cannot be written.
            IndexAhead: the index shows a revision that the catalog does not know.
        """
        target = self._target()
        end = None if deadline_seconds is None else time.monotonic() + deadline_seconds
        while self._writer.applied_revision() < target:
            left = -1.0 if end is None else end - time.monotonic()
            if end is not None and left <= 0:
                break
            if self._lock.acquire(timeout=left):
                try:
                    self._step(target)
                finally:
                    self._lock.release()
        return self._writer.applied_revision()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is applied meanwhile, and what was read but not applied is forgotten: the index may be exchanged."""
        with self._lock:
            self._pending.clear()
            yield
            self._pending.clear()

    def _target(self) -> int:
        """The catalog's revision. The index's is read before it, or another thread's progress would look like being ahead."""
        applied = self._writer.applied_revision()
        target = self._feed.revision()
        if applied > target:
            raise IndexAhead(f"the index shows revision {applied}, the catalog only {target}: it must be built anew", retry_after_seconds=5)
        return target

    def _step(self, target: int) -> None:
        """Apply one batch, after reading the next ones if none is left."""
        applied = self._writer.applied_revision()
        if applied >= target:
            return
        if not self._pending:
            self._pending.extend(self._next_batches(applied))
        if not self._pending:
            self._writer.applied(target)
            return
        batch = self._pending[0]
        self._apply(batch)
        self._pending.popleft()
        if batch.is_last:
            self._writer.applied(batch.revision)

    def _next_batches(self, after: int) -> list[_Batch]:
        changes = self._feed.changes(after, limit=self._batch_documents)
        if not changes:
            return []
        revision = max(change.revision for change in changes)
        documents = list(dict.fromkeys(change.document for change in changes))
        access_only = frozenset(documents) - {change.document for change in changes if not change.access_only}
        slices = [documents[at : at + self._batch_documents] for at in range(0, len(documents), self._batch_documents)]
        return [
            _Batch(tuple(part), access_only & set(part), revision, is_last=number == len(slices)) for number, part in enumerate(slices, 1)
        ]

    def _apply(self, batch: _Batch) -> None:
        states = self._feed.indexed_documents(batch.documents)
        moved = [state for state in states if state.document in batch.access_only and state.passages]
        changed = [state for state in states if state.document not in batch.access_only or not state.passages]
        if changed:
            self._writer.replace(changed)
        if moved:
            self._writer.reclassify([Reclassification(state.document, state.access_class) for state in moved])
