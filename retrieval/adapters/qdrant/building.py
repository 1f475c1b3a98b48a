"""Building a generation of the embedded index from the catalog, in whatever process calls it: a subprocess, outside of tests."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge_shard import EdgeShard
from retrieval.adapters.qdrant.generations import PROGRESS, SHARD, BuildProgress, GenerationMeta, read_json, sync_directory
from retrieval.adapters.qdrant.measuring import measure, write_measured
from retrieval.domain.passages import IndexedDocument
from retrieval.ports.writing import ChangeFeed

BATCH_DOCUMENTS = 64
"""Documents held in memory at once."""
SAMPLED_PASSAGES = 512
"""Most vectors kept for measuring with."""
EXACT_MILLISECONDS = 3.0


@runtime_checkable
class PassageCounter(Protocol):
    """A feed that can say how many passages an index of it will hold, so that progress has an end."""

    def passage_count(self) -> int: ...


def build_generation(
    feed: ChangeFeed,
    directory: Path,
    identity: IndexIdentity,
    *,
    exact_milliseconds: float = EXACT_MILLISECONDS,
    on_batch: Callable[[], None] = lambda: None,
) -> None:
    """Write a whole generation into the empty `directory` and measure how it is best searched. It is finished when `meta.json` is there.

    `exact_milliseconds` is how long comparing every passage that somebody reads may take.
    """
    expected = feed.passage_count() if isinstance(feed, PassageCounter) else 0
    shard = EdgeShard.create(directory / SHARD, identity)
    done, seen = 0, _Seen()
    with feed.snapshot() as (revision, documents):
        remaining = iter(documents)
        while batch := list(itertools.islice(remaining, BATCH_DOCUMENTS)):
            done += shard.add(batch)
            seen.note(batch)
            _report(directory, BuildProgress(done, expected))
            on_batch()
    shard.optimise()
    shard.flush()
    write_measured(directory, measure(shard, seen.classes, seen.samples, exact_milliseconds=exact_milliseconds))
    shard.close()
    sync_directory(directory)
    GenerationMeta(identity, revision=revision, passages=done).write(directory)


@dataclass
class _Seen:
    """What measuring needs: passages per access class, and vectors drawn evenly from all (reservoir sampling, Vitter, TOMS 1985)."""

    classes: Counter[int] = field(default_factory=Counter)
    samples: list[Sequence[float]] = field(default_factory=list)
    drawn: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - nothing secret
    passages: int = 0

    def note(self, documents: Sequence[IndexedDocument]) -> None:
        for document in documents:
            self.classes[document.access_class] += len(document.passages)
            for passage in document.passages:
                self._sample(passage.vector)

    def _sample(self, vector: Sequence[float]) -> None:
        self.passages += 1
        if len(self.samples) < SAMPLED_PASSAGES:
            self.samples.append(vector)
        elif (at := self.drawn.randrange(self.passages)) < SAMPLED_PASSAGES:
            self.samples[at] = vector


def read_progress(directory: Path) -> BuildProgress:
    """How far a build has come; zeros before its first batch."""
    raw = read_json(directory / PROGRESS) or {}
    return BuildProgress(int(raw.get("done", 0)), int(raw.get("expected", 0)))


def _report(directory: Path, progress: BuildProgress) -> None:
    path = directory / PROGRESS
    beside = path.with_name(path.name + ".new")
    beside.write_text(f'{{"done": {progress.done}, "expected": {progress.expected}}}', encoding="utf-8")
    beside.replace(path)
