"""The graph in the memory of one process: arrays of facts, and the access class of each document. Readers never wait.

A change makes a new state beside the old one. What changed makes a small segment of its own, and segments are joined as they grow, so
that there are few and each fact is moved a few times only.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from retrieval.adapters.graph.segment import Integers, Segment
from retrieval.adapters.graph.view import MemoryGraphView, Part
from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.permissions import AccessScope
from retrieval.ports.graph import GraphDocument, GraphFeed
from retrieval.ports.writing import Reclassification

GONE = -1
"""The access class of a document that is not there any more: no scope has it."""
JOINED_BELOW = 8
"""Two segments are joined when the older has fewer than this many times the younger's mentions."""
LOADED_AT_ONCE = 2_000
"""Documents of a snapshot that are held as objects at once."""


@dataclass(frozen=True)
class _State:
    parts: tuple[Part, ...]
    revision: int


class MemoryGraph:
    """`GraphSearch`, and what a follower writes to. One thread writes at a time, any number read."""

    def __init__(self) -> None:
        self._writing = threading.Lock()
        self._state: _State | None = None

    def view(self, scope: AccessScope, *, sources: Sequence[str] = ()) -> MemoryGraphView:
        state = self._state
        if state is None:
            raise IndexUnavailable("the knowledge graph is being loaded", retry_after_seconds=1)
        return MemoryGraphView(state.parts, scope, frozenset(sources))

    def load(self, feed: GraphFeed) -> None:
        """Hold all current documents' facts and nothing else. Raises CatalogUnavailable."""
        parts: list[Part] = []
        with self._writing, feed.snapshot() as (revision, documents):
            while some := list(islice(documents, LOADED_AT_ONCE)):
                parts.append(_part(some))
            self._state = _State((_joined(parts),) if parts else (), revision)

    def replace(self, documents: Sequence[GraphDocument]) -> None:
        """Hold exactly these documents' facts, and none of the documents that come without any."""
        with self._writing:
            state = self._loaded()
            gone = dict.fromkeys((document.document for document in documents), GONE)
            parts = [*(_reclassified(part, gone) for part in state.parts), _part(documents)]
            while len(parts) > 1 and parts[-2].mentions < JOINED_BELOW * parts[-1].mentions:
                parts[-2:] = [_joined(parts[-2:])]
            self._state = _State(tuple(part for part in parts if part.mentions), state.revision)

    def reclassify(self, changes: Sequence[Reclassification]) -> None:
        """Move each document to its access class; the facts stay."""
        with self._writing:
            state = self._loaded()
            moved = {change.document: change.access_class for change in changes}
            self._state = _State(tuple(_reclassified(part, moved) for part in state.parts), state.revision)

    def applied(self, revision: int) -> None:
        """Everything up to `revision` is in."""
        with self._writing:
            self._state = _State(self._loaded().parts, revision)

    def applied_revision(self) -> int:
        """0 until something was loaded."""
        return self._state.revision if self._state is not None else 0

    @property
    def is_loaded(self) -> bool:
        return self._state is not None

    @property
    def size_bytes(self) -> int:
        return sum(part.segment.size_bytes + part.access_classes.nbytes for part in (self._state.parts if self._state else ()))

    def _loaded(self) -> _State:
        if self._state is None:
            raise IndexUnavailable("the knowledge graph is being loaded", retry_after_seconds=1)
        return self._state


def _part(documents: Sequence[GraphDocument]) -> Part:
    held = [document for document in documents if document.passages]
    return Part(Segment.of(held), np.array([document.access_class for document in held], dtype=np.int32))


def _joined(parts: Sequence[Part]) -> Part:
    kept = [(part, part.access_classes != GONE) for part in parts]
    classes: Integers = np.concatenate([part.access_classes[keep] for part, keep in kept])
    return Part(Segment.joined([(part.segment, keep) for part, keep in kept]), classes)


def _reclassified(part: Part, classes: Mapping[str, int]) -> Part:
    """A document that is gone stays gone: only what is held elsewhere now carries its class."""
    numbers = part.segment.document_numbers
    held = {number: class_ for document, class_ in classes.items() if (number := numbers.get(document)) is not None}
    held = {number: class_ for number, class_ in held.items() if part.access_classes[number] != GONE}
    if not held:
        return part
    changed = part.access_classes.copy()
    changed[list(held)] = list(held.values())
    return Part(part.segment, changed)
