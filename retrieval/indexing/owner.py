"""The owner of an embedded index: builds it when nothing serves, follows the catalog, and renews it when much was written."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import structlog

from retrieval.adapters.qdrant.edge import EdgeIndex, Generation
from retrieval.adapters.qdrant.generations import BuildProgress
from retrieval.domain.errors import ArchivistError
from retrieval.indexing.follower import Follower, IndexAhead
from retrieval.ports.writing import ChangeFeed

RETRY_SECONDS = 5.0
"""Pause after a failed build."""

_log = structlog.get_logger(__name__)


class Builder(Protocol):
    """Makes a finished generation in a new folder, in another process."""

    def build(self, directory: Path, *, on_progress: Callable[[BuildProgress], None], stopping: Callable[[], bool]) -> None: ...


class IndexOwner:
    """One per process and index directory. `follow` belongs to one background thread, `catch_up` to any.

    Attributes:
        renew_after_passages: passages written into a generation before a new, optimised one is built beside it.
    """

    def __init__(
        self,
        feed: ChangeFeed,
        index: EdgeIndex,
        builder: Builder,
        *,
        batch_documents: int,
        renew_after_passages: int,
    ) -> None:
        self._feed = feed
        self._index = index
        self._builder = builder
        self._batch_documents = batch_documents
        self._renew_after_passages = renew_after_passages
        self._follower = Follower(feed, index, batch_documents=batch_documents)
        self._stopping = threading.Event()
        self._building: threading.Thread | None = None

    def catch_up(self, deadline_seconds: float | None) -> int:
        """Apply what is new before a query; nothing is done while nothing serves. Returns the applied revision.

        Raises:
            CatalogUnavailable: the catalog cannot be read.
            IndexUnavailable: the index cannot be written.
        """
        if self._index.needs_build:
            return 0
        try:
            return self._follower.catch_up(deadline_seconds)
        except IndexAhead as error:
            with self._follower.paused():
                self._index.withdraw(str(error))
            raise

    def follow(self) -> None:
        """One look at the catalog: apply, persist when due, and start a build when one is needed."""
        try:
            if not self._index.needs_build:
                self.catch_up(None)
                self._index.persist_if_due()
        finally:
            if self._index.needs_build or self._index.lacks_models or self._index.written_passages >= self._renew_after_passages:
                self.renew()

    def rebuild(self) -> None:
        """Build a new generation from the catalog and let it serve; what serves now does so until then.

        Raises:
            IndexUnavailable: the build failed; nothing has changed.
        """
        build = self._index.generations.new_build()
        try:
            self._builder.build(build, on_progress=self._say_progress, stopping=self._stopping.is_set)
            self._index.swap(build, self._bring_up, alone=self._follower.paused)
        finally:
            self._index.generations.discard(build)
        _log.info("index_renewed", revision=self._index.applied_revision(), passages=self._index.passages())

    def close(self) -> None:
        """Stop building, make everything durable and let the directory go."""
        self._stopping.set()
        if self._building is not None:
            self._building.join()
        self._index.close()

    def _bring_up(self, generation: Generation) -> None:
        Follower(self._feed, generation, batch_documents=self._batch_documents).catch_up(None)

    def _say_progress(self, progress: BuildProgress) -> None:
        self._index.say_why_not(f"the index is being rebuilt: {progress}")

    def renew(self) -> None:
        """Start building a new generation in the background, unless one is being built."""
        if self._stopping.is_set() or (self._building is not None and self._building.is_alive()):
            return
        self._building = threading.Thread(target=self._build, name="index-build", daemon=True)
        self._building.start()

    def _build(self) -> None:
        try:
            self.rebuild()
        except ArchivistError as error:
            _log.warning("index_build_failed", reason=str(error))
            if self._index.needs_build:
                self._index.say_why_not("the index could not be built yet; it is tried again")
            self._stopping.wait(RETRY_SECONDS)
