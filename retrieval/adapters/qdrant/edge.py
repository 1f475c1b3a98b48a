"""The embedded index: the generation that serves, shared by many readers and one writer, and its exchange for a newer one.

Building generations is not done here, see `building.py`; when to build and swap is decided by `retrieval.indexing.owner`.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import structlog

from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge_shard import EdgeShard
from retrieval.adapters.qdrant.generations import APPLIED, SHARD, GenerationMeta, Generations, read_json, write_durably
from retrieval.adapters.qdrant.legs import search_legs
from retrieval.adapters.qdrant.measuring import read_measured
from retrieval.adapters.qdrant.ownership import Ownership
from retrieval.adapters.qdrant.payload import HeldPassage
from retrieval.adapters.qdrant.planner import DenseLimits, Measured
from retrieval.domain.errors import IndexUnavailable, RevisionNotReached
from retrieval.domain.passages import IndexedDocument
from retrieval.domain.permissions import AccessScope
from retrieval.ports.models import Vectors
from retrieval.ports.reading import LegRuns, LegSearch
from retrieval.ports.writing import Reclassification

_log = structlog.get_logger(__name__)


class Generation:
    """One open generation: an IndexWriter over its shard, which knows how far it has come.

    The applied revision advances in memory at once and on disk only after a flush: what a crash loses is applied again.
    """

    def __init__(self, directory: Path, shard: EdgeShard, revision: int, identity: IndexIdentity) -> None:
        self.directory = directory
        self.shard = shard
        self.identity = identity
        self.measured = {model: read_measured(directory, model) for model in identity.models}
        self.written_passages = 0
        self._applied = revision
        self._durable = revision

    @classmethod
    def open(cls, directory: Path, identity: IndexIdentity) -> "Generation":
        """Raises IndexUnavailable when it lacks the model, is of another contract, unfinished or unreadable."""
        meta = GenerationMeta.read(directory, identity)
        applied = read_json(directory / APPLIED) or {"revision": meta.revision, "passages": meta.passages}
        shard = EdgeShard.load(directory / SHARD, meta.identity)
        try:
            _check_passages(shard.passages(), applied.get("passages"))
            generation = cls(directory, shard, int(applied["revision"]), meta.identity)
            generation.write_applied()
        except BaseException:
            shard.close()
            raise
        return generation

    def replace(self, documents: Sequence[IndexedDocument]) -> None:
        last = {document.document: document for document in documents}
        self.written_passages += self.shard.replace(list(last.values()))

    def reclassify(self, changes: Sequence[Reclassification]) -> None:
        self.shard.reclassify(changes)

    def applied(self, revision: int) -> None:
        self._applied = max(self._applied, revision)

    def applied_revision(self) -> int:
        return self._applied

    def persist(self) -> None:
        """Make everything applied so far survive a power failure. Nothing to do costs nothing."""
        revision = self._applied
        if revision == self._durable:
            return
        self.shard.flush()
        self._durable = revision
        self.write_applied()

    def write_applied(self, *, passages: int | None = None) -> None:
        """Note how far the durable points have come, and how many there are if nothing is going to change them."""
        write_durably(self.directory / APPLIED, {"revision": self._durable} | ({"passages": passages} if passages is not None else {}))

    def close(self) -> None:
        """Make everything durable, noting how many passages there are, and close the shard."""
        self.persist()
        self.shard.flush()
        self.write_applied(passages=self.shard.passages())
        self.shard.close()


def _check_passages(found: int, noted: int | str | None) -> None:
    """A closed generation holds what it held: the engine opens shards that have lost whole segments."""
    if noted is not None and found != noted:
        raise IndexUnavailable(f"the index must be built anew: it holds {found:,} passages, not the {noted:,} that it was closed with")


class EdgeIndex:
    """PassageSearch and IndexWriter over the embedded engine. Thread-safe. Owns its directory from `open` to `close`."""

    def __init__(
        self, directory: Path, identity: IndexIdentity, ownership: Ownership, *, limits: DenseLimits, flush_seconds: float
    ) -> None:
        self.identity = identity
        self.generations = Generations(directory)
        self._ownership = ownership
        self._limits = limits
        self._flush_seconds = flush_seconds
        self._flushed_at = time.monotonic()
        self._writing = threading.RLock()
        self._guard = threading.Lock()
        self._serving: _Lease | None = None
        self._why_not = "the index is being built"

    @classmethod
    def open(
        cls, directory: Path, identity: IndexIdentity, *, limits: DenseLimits | None = None, flush_seconds: float = 30.0
    ) -> "EdgeIndex":
        """Take the directory and serve its current generation, if it has a usable one; else `needs_build`.

        Raises:
            IndexUnavailable: another process owns the directory; the message says which.
        """
        index = cls(directory, identity, Ownership.take(directory), limits=limits or DenseLimits(), flush_seconds=flush_seconds)
        index.generations.tidy()
        current = index.generations.current()
        if current is not None:
            try:
                index._serving = _Lease(Generation.open(current, identity))
            except IndexUnavailable as error:
                _log.warning("index_unusable", reason=str(error))
        return index

    @property
    def needs_build(self) -> bool:
        """Whether nothing serves: a new directory, a damaged one, another model or another contract."""
        return self._serving is None

    def want(self, identity: IndexIdentity) -> None:
        """What the next build shall hold, and what may serve from now on: whatever holds its model."""
        self.identity = identity

    @property
    def lacks_models(self) -> bool:
        """Whether what serves does not hold all the models that are wanted."""
        serving = self._serving
        return serving is not None and self.identity.lacks(serving.generation.identity)

    def holds(self, model: str) -> bool:
        """Whether it can be searched by this model's vectors."""
        serving = self._serving
        return serving is not None and model in serving.generation.identity.models

    @property
    def written_passages(self) -> int:
        """Passages written into the serving generation since it was opened, none of them in its graphs."""
        serving = self._serving
        return serving.generation.written_passages if serving is not None else 0

    def search(self, scope: AccessScope, search: LegSearch) -> LegRuns:
        with self._reading() as generation:
            if generation.applied_revision() < search.at_least:
                raise RevisionNotReached("the index has not reached the asked-for state yet")
            limits = replace(self._limits, measured=generation.measured.get(search.model or generation.identity.model, Measured()))
            return search_legs(generation.shard, scope, search, limits=limits)

    def texts(self, scope: AccessScope, passages: Sequence[str]) -> Mapping[str, str]:
        with self._reading() as generation:
            return generation.shard.texts(scope, passages)

    def vectors(self, scope: AccessScope, passages: Sequence[str], *, model: str = "") -> Mapping[str, Vectors]:
        with self._reading() as generation:
            return generation.shard.vectors(scope, passages, model=model)

    def revision(self) -> int:
        return self.applied_revision()

    def contents(self) -> Iterator[HeldPassage]:
        """Every point. For comparing with the catalog; knows no reader."""
        with self._reading() as generation:
            yield from generation.shard.contents()

    def passages(self) -> int:
        with self._reading() as generation:
            return generation.shard.passages()

    def replace(self, documents: Sequence[IndexedDocument]) -> None:
        with self._changing() as generation:
            generation.replace(documents)

    def reclassify(self, changes: Sequence[Reclassification]) -> None:
        with self._changing() as generation:
            generation.reclassify(changes)

    def applied(self, revision: int) -> None:
        with self._changing() as generation:
            generation.applied(revision)

    def applied_revision(self) -> int:
        serving = self._serving
        return serving.generation.applied_revision() if serving is not None else 0

    def persist_if_due(self) -> None:
        """Flush when the last flush is `flush_seconds` ago. For a background thread: a flush takes tenths of a second."""
        if time.monotonic() - self._flushed_at < self._flush_seconds:
            return
        with self._writing:
            self._flushed_at = time.monotonic()
            if self._serving is not None:
                self._serving.generation.persist()

    def swap(
        self, build: Path, catch_up: Callable[[Generation], object], *, alone: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """Let a finished build serve, after `catch_up` has applied to it what came since. Running searches end where they began.

        `alone` is held for the last, short catching up and the exchange: nobody else applies changes meanwhile.

        Raises:
            IndexUnavailable: the build cannot be used; what served before still serves.
        """
        generation = Generation.open(self.generations.adopt(build), self.identity)
        try:
            catch_up(generation)
            with alone(), self._writing:
                catch_up(generation)
                self._appoint(generation)
        except BaseException:
            if self._serving is None or self._serving.generation is not generation:
                generation.shard.close()
                self.generations.discard(generation.directory)
            raise

    @property
    def why_not(self) -> str:
        """Why nothing serves, in words for whoever has to wait."""
        return self._why_not

    @property
    def generation(self) -> int:
        """The number of the generation that serves; 0 when none does."""
        serving = self._serving
        return int(serving.generation.directory.name) if serving is not None else 0

    def say_why_not(self, reason: str) -> None:
        """What searches are told while nothing serves."""
        self._why_not = reason

    def withdraw(self, reason: str) -> None:
        """Serve nothing until the next swap: what serves cannot be trusted."""
        with self._writing:
            self._why_not = reason
            self._replace_lease(None)

    def close(self) -> None:
        """Make everything durable, wait for running searches and let the directory go."""
        with self._writing:
            self._why_not = "the index is closed"
            self._replace_lease(None, keep_files=True)
            self._ownership.release()

    def _appoint(self, generation: Generation) -> None:
        generation.persist()
        self.generations.appoint(generation.directory)
        self._replace_lease(_Lease(generation))

    def _replace_lease(self, lease: "_Lease | None", *, keep_files: bool = False) -> None:
        with self._guard:
            old, self._serving = self._serving, lease
        if old is None:
            return
        old.wait_until_unused()
        if keep_files:
            old.generation.close()
            return
        old.generation.shard.close()
        self.generations.discard(old.generation.directory)

    @contextmanager
    def _reading(self) -> Iterator[Generation]:
        with self._guard:
            lease = self._serving
            if lease is None:
                raise IndexUnavailable(self._why_not, retry_after_seconds=5)
            lease.enter()
        try:
            yield lease.generation
        finally:
            lease.leave()

    @contextmanager
    def _changing(self) -> Iterator[Generation]:
        with self._writing, self._reading() as generation:
            yield generation


class _Lease:
    """Counts who uses a generation, so that it closes only after the last has left."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self._users = 0
        self._changed = threading.Condition()

    def enter(self) -> None:
        with self._changed:
            self._users += 1

    def leave(self) -> None:
        with self._changed:
            self._users -= 1
            self._changed.notify_all()

    def wait_until_unused(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._users == 0)
