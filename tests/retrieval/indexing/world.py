"""A small catalog in memory, honest to the ChangeFeed protocol, and documents to put into it."""

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from retrieval.adapters.qdrant.building import build_generation
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.adapters.qdrant.generations import BuildProgress
from retrieval.adapters.qdrant.payload import HeldPassage, points_of
from retrieval.domain.errors import CatalogUnavailable
from retrieval.domain.ids import passage_id, text_hash
from retrieval.domain.passages import IndexedDocument, IndexedPassage
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.indexing.owner import Builder, IndexOwner
from retrieval.ports.writing import Change, ChangeFeed
from retrieval.settings import Settings

DIMENSIONS = 8
IDENTITY = IndexIdentity("test-model@1", DIMENSIONS)


def vector_of(text: str, dimensions: int = DIMENSIONS) -> tuple[float, ...]:
    """A unit vector that depends on the text alone, exact in float32."""
    raw = np.random.default_rng(int(text_hash(text)[:12], 16)).normal(size=dimensions)
    return tuple(float(x) for x in (raw / np.linalg.norm(raw)).astype(np.float32))


def document(
    name: str, *texts: str, access_class: int = 1, number: int = 1, source: str = "handbook", prefix: str = "", dimensions: int = DIMENSIONS
) -> IndexedDocument:
    """A document with one passage for each text."""
    version = f"ver_{name}_{number}"
    passages = tuple(
        IndexedPassage(passage_id(version, ordinal), ordinal, text, prefix, vector_of(text, dimensions))
        for ordinal, text in enumerate(texts)
    )
    return IndexedDocument(f"doc_{name}", source, access_class, version, number, passages)


def scope_of(*classes: int, readable_passages: int = 100) -> AccessScope:
    """What the principal of these tests may read."""
    principal = Principal("dana")
    return AccessScope(principal, tuple(sorted(classes)), 1, readable_passages)


def held(documents: Sequence[IndexedDocument]) -> dict[str, HeldPassage]:
    """What an index of exactly these documents holds, by passage id."""
    return {point.passage.id: point for point in points_of(documents)}


def contents_of(index: object) -> dict[str, HeldPassage]:
    return {point.passage.id: point for point in index.contents()}  # type: ignore[attr-defined]


class FakeChangeFeed:
    """A ChangeFeed over documents in memory. Like the catalog's outbox it keeps one row for each document, the last change."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._revision = 0
        self._documents: dict[str, IndexedDocument] = {}
        self._changed: dict[str, tuple[int, int]] = {}
        """Document to (revision of its last change, revision of its last change of content)."""
        self.is_down = False
        self.reads = 0

    def publish(self, *documents: IndexedDocument) -> int:
        """Make these documents' states current, in one revision."""
        with self._lock:
            self._revision += 1
            for state in documents:
                self._documents[state.document] = state
                self._changed[state.document] = (self._revision, self._revision)
            return self._revision

    def reclassify(self, access_class: int, *names: str) -> int:
        with self._lock:
            self._revision += 1
            for name in names:
                self._documents[name] = dataclasses.replace(self._documents[name], access_class=access_class)
                self._changed[name] = (self._revision, self._changed[name][1])
            return self._revision

    def withdraw(self, *names: str) -> int:
        with self._lock:
            self._revision += 1
            for name in names:
                del self._documents[name]
                self._changed[name] = (self._revision, self._revision)
            return self._revision

    def touch(self) -> int:
        """A revision that concerns no document, e.g. a changed membership."""
        with self._lock:
            self._revision += 1
            return self._revision

    def current(self) -> list[IndexedDocument]:
        with self._lock:
            return list(self._documents.values())

    def revision(self) -> int:
        self._check()
        return self._revision

    def changes(self, after: int, *, limit: int) -> list[Change]:
        self._check()
        with self._lock:
            contents = [Change(content, name, access_only=False) for name, (_, content) in self._changed.items()]
            moves = [Change(last, name, access_only=True) for name, (last, content) in self._changed.items() if last > content]
            rows = sorted((change for change in contents + moves if change.revision > after), key=lambda change: change.revision)
            revisions = sorted({change.revision for change in rows})[:limit]
            return [change for change in rows if change.revision in revisions]

    def indexed_documents(self, documents: Sequence[str]) -> list[IndexedDocument]:
        self._check()
        with self._lock:
            return [self._documents.get(name) or IndexedDocument(name, "", 0, "", 0, ()) for name in documents]

    @contextmanager
    def snapshot(self) -> Iterator[tuple[int, Iterator[IndexedDocument]]]:
        self._check()
        with self._lock:
            revision, documents = self._revision, list(self._documents.values())
        yield revision, iter(documents)

    def passage_count(self) -> int:
        return sum(len(state.passages) for state in self.current())

    def save(self, path: Path) -> None:
        """Write the world as it is now as JSON, for a process that reads it with `load`."""
        with self._lock:
            documents = [dataclasses.asdict(state) for state in self._documents.values()]
            raw = {"revision": self._revision, "documents": documents, "changed": self._changed}
            beside = path.with_suffix(".new")
            beside.write_text(json.dumps(raw), encoding="utf-8")
            beside.replace(path)

    @classmethod
    def load(cls, path: Path) -> "FakeChangeFeed":
        raw = json.loads(path.read_text(encoding="utf-8"))
        feed = cls()
        feed._revision = raw["revision"]
        feed._changed = {name: (last, content) for name, (last, content) in raw["changed"].items()}
        for state in raw["documents"]:
            passages = tuple(IndexedPassage(**{**p, "vector": tuple(p["vector"])}) for p in state["passages"])
            feed._documents[state["document"]] = IndexedDocument(**{**state, "passages": passages, "gaps": (), "past": ()})
        return feed

    def _check(self) -> None:
        self.reads += 1
        if self.is_down:
            raise CatalogUnavailable("the catalog does not answer")


def saved_feed(_model: str) -> FakeChangeFeed:
    """The world saved in the data directory: what a builder's process reads."""
    return FakeChangeFeed.load(Settings().data_directory / "world.json")


def broken_feed(_model: str) -> FakeChangeFeed:
    raise CatalogUnavailable("the catalog does not answer")


def endless_feed(_model: str) -> FakeChangeFeed:
    """Never returns within a test's patience."""
    time.sleep(50)
    raise AssertionError("the build outlived its owner")


class InProcessBuilder:
    """Builds as the subprocess does, without the second that starting one takes."""

    def __init__(self, feed: ChangeFeed, identity: IndexIdentity = IDENTITY, *, before_finish: Callable[[], object] = lambda: None) -> None:
        self.feed = feed
        self.identity = identity
        self.before_finish = before_finish
        self.builds = 0

    def build(self, directory: Path, *, on_progress: Callable[[BuildProgress], None], stopping: Callable[[], bool]) -> None:
        self.builds += 1
        build_generation(self.feed, directory, self.identity)
        on_progress(BuildProgress(1, 1))
        self.before_finish()


def owner_of(index: EdgeIndex, feed: FakeChangeFeed, builder: Builder | None = None, *, renew_after: int = 1_000_000) -> IndexOwner:
    return IndexOwner(feed, index, builder or InProcessBuilder(feed), batch_documents=2, renew_after_passages=renew_after)


def wait_for(condition: Callable[[], object], *, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
