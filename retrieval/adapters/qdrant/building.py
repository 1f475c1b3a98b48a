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
from retrieval.adapters.qdrant.planner import DensePlan
from retrieval.domain.passages import IndexedDocument
from retrieval.domain.runs import Hit
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
    done, seen = 0, _Seen(identity)
    with feed.snapshot() as (revision, documents):
        remaining = iter(documents)
        while batch := list(itertools.islice(remaining, BATCH_DOCUMENTS)):
            done += shard.add(batch)
            seen.note(batch)
            _report(directory, BuildProgress(done, expected))
            on_batch()
    shard.optimise()
    shard.flush()
    for model, sample in seen.samples.items():
        measured = measure(_ByModel(shard, model), seen.classes, sample.kept, exact_milliseconds=exact_milliseconds)
        write_measured(directory, model, measured)
    shard.close()
    sync_directory(directory)
    GenerationMeta(identity, revision=revision, passages=done).write(directory)


@dataclass(frozen=True)
class _ByModel:
    """The dense leg over one model's vectors."""

    shard: EdgeShard
    model: str

    def nearest(self, classes: Sequence[int], vector: Sequence[float], *, limit: int, plan: DensePlan) -> list[Hit]:
        return self.shard.nearest(classes, vector, limit=limit, plan=plan, model=self.model)


@dataclass
class _Sample:
    """Vectors drawn evenly from all of one model (reservoir sampling, Vitter, TOMS 1985)."""

    kept: list[Sequence[float]] = field(default_factory=list)
    drawn: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - nothing secret
    passages: int = 0

    def draw(self, vector: Sequence[float]) -> None:
        self.passages += 1
        if len(self.kept) < SAMPLED_PASSAGES:
            self.kept.append(vector)
        elif (at := self.drawn.randrange(self.passages)) < SAMPLED_PASSAGES:
            self.kept[at] = vector


@dataclass
class _Seen:
    """What measuring needs: passages per access class, and some vectors of each model."""

    identity: IndexIdentity
    classes: Counter[int] = field(default_factory=Counter)
    samples: dict[str, _Sample] = field(default_factory=dict)

    def note(self, documents: Sequence[IndexedDocument]) -> None:
        for document in documents:
            self.classes[document.access_class] += len(document.passages)
            for passage in document.passages:
                for model, vector in (passage.vectors or {self.identity.model: passage.vector}).items():
                    if model in self.identity.models:
                        self.samples.setdefault(model, _Sample()).draw(vector)


def read_progress(directory: Path) -> BuildProgress:
    """How far a build has come; zeros before its first batch."""
    raw = read_json(directory / PROGRESS) or {}
    return BuildProgress(int(raw.get("done", 0)), int(raw.get("expected", 0)))


def _report(directory: Path, progress: BuildProgress) -> None:
    path = directory / PROGRESS
    beside = path.with_name(path.name + ".new")
    beside.write_text(f'{{"done": {progress.done}, "expected": {progress.expected}}}', encoding="utf-8")
    beside.replace(path)
