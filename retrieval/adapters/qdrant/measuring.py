"""Measuring a built index: up to how many passages all are compared, and how hard its graph must be searched beyond that.

Readers are imitated by sets of the index's own access classes, so that what they read is as big and as scattered as what a reader of these
classes reads. Queries are imitated by passages that were moved towards another one, since a query is no passage.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Protocol

import numpy as np

from retrieval.adapters.qdrant.generations import read_json, write_durably
from retrieval.adapters.qdrant.planner import DensePlan, GraphStep, Measured
from retrieval.domain.runs import Hit

PLAN = "plan.json"
SHARES = (0.05, 0.1, 0.24, 0.5, 1.0)
LEAST_EXACT, MOST_EXACT = 10_000, 1_000_000
"""Whatever the clock said, within these: a build shares the machine with whatever else runs on it."""
DEPTH = 116
"""Hits asked for, as a search of depth 100 does."""
WAYS = tuple((ef, acorn) for acorn in (False, True) for ef in (256, 512, 1_024))
"""Of searching the graph, with what each costs rising within either half."""
RECALL_AT_10, RECALL_AT_100 = 0.992, 0.985
"""At least, of the exact hits. A little more than is promised (.99 at 10): it is measured on few queries."""
QUERIES, TIMED, REPEATS = 48, 8, 3
TOWARDS = 0.5
"""How far a passage is moved towards another to be a query."""
_SEED = 3


class Measurable(Protocol):
    """An open index of which only the dense vectors are asked for, by access class."""

    def nearest(self, classes: Sequence[int], vector: Sequence[float], *, limit: int, plan: DensePlan) -> list[Hit]: ...


@dataclass(frozen=True)
class Reader:
    """An imitated reader: classes, and how many passages they hold."""

    classes: tuple[int, ...]
    passages: int


def measure(index: Measurable, classes: Mapping[int, int], samples: Sequence[Sequence[float]], *, exact_milliseconds: float) -> Measured:
    """What plans for this index are to be made from.

    An index of at most LEAST_EXACT passages is not measured: all of them are compared, whoever reads them.

    Args:
        index: as it was built.
        classes: access class to the number of passages that it holds.
        samples: vectors of some passages.
        exact_milliseconds: longest time that comparing every readable passage may take.
    """
    if sum(classes.values()) <= LEAST_EXACT:
        return Measured()
    queries = queries_from(samples)
    readers = readers_over(classes)
    exact = _exact_passages(index, readers, queries[:TIMED], exact_milliseconds)
    steps = [_step(index, reader, queries) for reader in readers if reader.passages > exact]
    return Measured(exact, tuple(steps))


def queries_from(samples: Sequence[Sequence[float]]) -> list[list[float]]:
    """At most QUERIES unit vectors."""
    rows = np.asarray(samples, dtype=np.float64)
    drawn = np.random.default_rng(_SEED).permutation(len(rows))
    moved = rows[drawn] + TOWARDS * rows[np.roll(drawn, 1)]
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return [list(row) for row in (moved / np.where(lengths > 0, lengths, 1.0))[:QUERIES].tolist()]


def readers_over(classes: Mapping[int, int]) -> list[Reader]:
    """Readers of about each of SHARES, ascending and all different, each reading what the one before reads and more."""
    drawn = [int(each) for each in np.random.default_rng(_SEED).permutation(sorted(classes))]
    held = list(accumulate(classes[each] for each in drawn))
    counts = [1 + next(at for at, passages in enumerate(held) if passages >= share * held[-1]) for share in SHARES]
    return [Reader(tuple(sorted(drawn[:count])), held[count - 1]) for count in dict.fromkeys(counts)]


def write_measured(directory: Path, measured: Measured) -> None:
    write_durably(directory / PLAN, asdict(measured))


def read_measured(directory: Path) -> Measured:
    """What holds without measuring, where the file is missing or says nothing sensible: plans differ in speed and recall only."""
    try:
        found = read_json(directory / PLAN) or {}
        steps = tuple(GraphStep(int(step["passages"]), int(step["ef"]), bool(step["acorn"])) for step in found["graph"])
        return Measured(min(max(int(found["exact_passages"]), LEAST_EXACT), MOST_EXACT), steps)
    except (KeyError, TypeError, ValueError):
        return Measured()


def _exact_passages(index: Measurable, readers: Sequence[Reader], queries: Sequence[Sequence[float]], milliseconds: float) -> int:
    """How many are compared in that time: between the two readers around it, or beyond the last at its pace."""
    before, before_taken = 0, 0.0
    for reader in readers:
        taken = _milliseconds(index, reader, queries)
        pace = (taken - before_taken) / max(reader.passages - before, 1)
        if taken > milliseconds or reader is readers[-1]:
            fits = before + (milliseconds - before_taken) / pace if pace > 0 else MOST_EXACT
            return int(min(max(fits, LEAST_EXACT), MOST_EXACT))
        before, before_taken = reader.passages, taken
    return LEAST_EXACT


def _milliseconds(index: Measurable, reader: Reader, queries: Sequence[Sequence[float]]) -> float:
    """The median query's quickest time: whatever else runs on the machine only ever adds to it."""
    ask = _asking(index, reader, DensePlan(exact=True))
    return statistics.median(min(_taken(ask, query) for _ in range(REPEATS)) for query in queries)


def _step(index: Measurable, reader: Reader, queries: Sequence[Sequence[float]]) -> GraphStep:
    """The quickest way that finds enough; if none does, the one that finds most."""
    exact = _asking(index, reader, DensePlan(exact=True))
    wanted = [exact(query) for query in queries]
    tried = [(*_tried(index, reader, queries, wanted, ef=ef, acorn=acorn), GraphStep(reader.passages, ef, acorn)) for ef, acorn in WAYS]
    enough = [way for way in tried if way[0] >= RECALL_AT_10 and way[1] >= RECALL_AT_100]
    return min(enough, key=lambda way: way[2])[3] if enough else max(tried, key=lambda way: way[:2])[3]


def _tried(
    index: Measurable, reader: Reader, queries: Sequence[Sequence[float]], wanted: Sequence[list[Hit]], *, ef: int, acorn: bool
) -> tuple[float, float, float]:
    """Recall@10, recall@100 and the median milliseconds."""
    ask = _asking(index, reader, DensePlan(exact=False, ef=ef, acorn_below=1.0 if acorn else 0.0))
    found = [{hit.passage for hit in ask(query)} for query in queries]
    taken = statistics.median(_taken(ask, query) for query in queries)
    return (*(_recall(found, wanted, at) for at in (10, 100)), taken)


def _recall(found: Sequence[set[str]], wanted: Sequence[list[Hit]], at: int) -> float:
    return statistics.fmean(
        len(passages & {hit.passage for hit in hits[:at]}) / max(len(hits[:at]), 1) for passages, hits in zip(found, wanted, strict=True)
    )


def _asking(index: Measurable, reader: Reader, plan: DensePlan) -> Callable[[Sequence[float]], list[Hit]]:
    return lambda query: index.nearest(reader.classes, query, limit=DEPTH, plan=plan)


def _taken(ask: Callable[[Sequence[float]], object], query: Sequence[float]) -> float:
    started = time.perf_counter()
    ask(query)
    return (time.perf_counter() - started) * 1_000
