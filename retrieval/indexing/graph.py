"""The graph in memory as the catalog's follower: loaded whole once, then changed document by document.

Nobody is shown an older graph than what was looked up of their permissions: a document that moved to another class could still lend its
mentions to scores. A search that needs more than was applied waits for it, and is refused when that takes too long.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.permissions import AccessScope
from retrieval.ports.graph import GraphDocument, GraphFeed
from retrieval.ports.graph_search import GraphSearch, GraphView
from retrieval.ports.writing import Reclassification


class GraphWriter(Protocol):
    """The writing side of a graph in memory. Every call may be repeated."""

    def load(self, feed: GraphFeed) -> None:
        """Hold all current documents' facts and nothing else."""

    def replace(self, documents: Sequence[GraphDocument]) -> None:
        """Hold exactly these documents' facts, and none of the documents that come without any."""

    def reclassify(self, changes: Sequence[Reclassification]) -> None:
        """Move each document to its access class; the facts stay."""

    def applied(self, revision: int) -> None:
        """Everything up to `revision` is in."""

    def applied_revision(self) -> int:
        """0 until something was loaded."""

    @property
    def is_loaded(self) -> bool: ...


class GraphFollower:
    """Brings one graph to the catalog's revision. Thread-safe: one thread applies, the others wait."""

    def __init__(self, feed: GraphFeed, graph: GraphWriter, *, batch_documents: int) -> None:
        self._feed = feed
        self._graph = graph
        self._batch_documents = batch_documents
        self._lock = threading.Lock()

    def follow(self) -> None:
        """Apply all that is new. Raises CatalogUnavailable."""
        with self._lock:
            self._follow(None)

    def catch_up(self, revision: int, *, seconds: float) -> None:
        """Apply what is new up to `revision`, as far as it can be done in so many seconds. Does not load."""
        end = time.monotonic() + seconds
        if self._graph.applied_revision() < revision and self._lock.acquire(timeout=seconds):
            try:
                if self._graph.is_loaded and self._graph.applied_revision() < revision:
                    self._follow(end)
            finally:
                self._lock.release()

    def _follow(self, end: float | None) -> None:
        target = self._feed.revision()
        if not self._graph.is_loaded or self._graph.applied_revision() > target:  # the catalog was restored
            self._graph.load(self._feed)
        while self._graph.applied_revision() < target and (end is None or time.monotonic() < end):
            changes = self._feed.changes(self._graph.applied_revision(), limit=self._batch_documents)
            if not changes:
                self._graph.applied(target)
                return
            changed = {change.document for change in changes if not change.access_only}
            states = self._feed.documents(list(dict.fromkeys(change.document for change in changes)))
            moved = [state for state in states if state.document not in changed and state.passages]
            self._graph.replace([state for state in states if state.document in changed or not state.passages])
            self._graph.reclassify([Reclassification(state.document, state.access_class) for state in moved])
            self._graph.applied(max(change.revision for change in changes))


@dataclass(frozen=True)
class FollowingGraph:
    """`graph`, brought up to what the scope needs before each view."""

    graph: GraphSearch
    follower: GraphFollower
    applied_revision: "AppliedRevision"
    catch_up_seconds: float

    def view(self, scope: AccessScope, *, sources: Sequence[str] = ()) -> GraphView:
        if self.applied_revision() < scope.revision:
            self.follower.catch_up(scope.revision, seconds=self.catch_up_seconds)
        if self.applied_revision() < scope.revision:
            raise IndexUnavailable("the knowledge graph is behind the catalog", retry_after_seconds=1)
        return self.graph.view(scope, sources=sources)


class AppliedRevision(Protocol):
    def __call__(self) -> int: ...
