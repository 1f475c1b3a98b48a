"""Building a generation of the embedded index from the catalog, in whatever process calls it: a subprocess, outside of tests."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge_shard import EdgeShard
from retrieval.adapters.qdrant.generations import PROGRESS, SHARD, BuildProgress, GenerationMeta, read_json, sync_directory
from retrieval.ports.writing import ChangeFeed

BATCH_DOCUMENTS = 64
"""Documents held in memory at once."""


@runtime_checkable
class PassageCounter(Protocol):
    """A feed that can say how many passages an index of it will hold, so that progress has an end."""

    def passage_count(self) -> int: ...


def build_generation(feed: ChangeFeed, directory: Path, identity: IndexIdentity, *, on_batch: Callable[[], None] = lambda: None) -> None:
    """Write a whole generation into the empty `directory`. It is finished when `meta.json` is there."""
    expected = feed.passage_count() if isinstance(feed, PassageCounter) else 0
    shard = EdgeShard.create(directory / SHARD, identity)
    done = 0
    with feed.snapshot() as (revision, documents):
        remaining = iter(documents)
        while batch := list(itertools.islice(remaining, BATCH_DOCUMENTS)):
            done += shard.add(batch)
            _report(directory, BuildProgress(done, expected))
            on_batch()
    shard.optimise()
    shard.flush()
    shard.close()
    sync_directory(directory)
    GenerationMeta(identity, revision=revision, passages=done).write(directory)


def read_progress(directory: Path) -> BuildProgress:
    """How far a build has come; zeros before its first batch."""
    raw = read_json(directory / PROGRESS) or {}
    return BuildProgress(int(raw.get("done", 0)), int(raw.get("expected", 0)))


def _report(directory: Path, progress: BuildProgress) -> None:
    path = directory / PROGRESS
    beside = path.with_name(path.name + ".new")
    beside.write_text(f'{{"done": {progress.done}, "expected": {progress.expected}}}', encoding="utf-8")
    beside.replace(path)
