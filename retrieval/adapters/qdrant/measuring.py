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

from retrieval.adapters.qdrant.collection import vector_name
from retrieval.adapters.qdrant.generations import read_json, write_durably
from retrieval.adapters.qdrant.planner import DensePlan, GraphStep, Measured
from retrieval.domain.runs import Hit

SHARES = (0.05, 0.1, 0.24, 0.5, 1.0)
LEAST_EXACT, MOST_EXACT = 10_000, 1_000_000
"""Whatever the clock said, within these: a build shares the machine with whatever else runs on it."""
DEPTH = 116
"""Hits asked for, as a search of depth 100 does."""
WAYS = tuple((ef, acorn) for acorn in (False, True) for ef in (256, 512, 1_024))
"""Of searching the graph, with what each costs rising within either half."""
RECALL_AT_10, RECALL_AT_100 = 0.992, 0.985
"""At least, of the exact hits. A little more than is promised (.99 at 10): it is measured on few queries."""
QUERIES, TIMED, REPEATS = 48, 12, 4
TOWARDS = 0.5
"""How far a passage is moved towards another to be a query."""
_SEED = 3


class Measurable(Protocol):
    """An open index of which only one model's vectors are asked for, by access class."""

    def nearest(self, classes: Sequence[int], vector: Sequence[float], *, limit: int, plan: DensePlan) -> list[Hit]: ...


@dataclass(frozen=True)
class Reader:
    """An imitated reader: classes, and how many passages they hold."""

    classes: tuple[int, ...]
    passages: int


def measure(
    index: Measurable,
    classes: Mapping[int, int],
    samples: Sequence[Sequence[float]],
    *,
    exact_milliseconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Measured:
    """What plans for this index are to be made from.

    An index of at most LEAST_EXACT passages is not measured: all of them are compared, whoever reads them.

    Args:
        index: as it was built.
        classes: access class to the number of passages that it holds.
        samples: vectors of some passages.
        exact_milliseconds: longest time that comparing every readable passage may take.
        clock: seconds from any beginning.
    """
    if sum(classes.values()) <= LEAST_EXACT:
        return Measured()
    queries = queries_from(samples)
    readers = readers_over(classes)
    watched = _Watched(index, clock)
    exact = _exact_passages(watched, readers, queries[:TIMED], exact_milliseconds)
    steps = [_step(watched, reader, queries) for reader in readers if reader.passages > exact]
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


def write_measured(directory: Path, model: str, measured: Measured) -> None:
    write_durably(plan_file(directory, model), asdict(measured))


def read_measured(directory: Path, model: str) -> Measured:
    """What holds without measuring, where the file is missing or says nothing sensible: plans differ in speed and recall only."""
    try:
        found = read_json(plan_file(directory, model)) or {}
        steps = tuple(GraphStep(int(step["passages"]), int(step["ef"]), bool(step["acorn"])) for step in found["graph"])
        return Measured(min(max(int(found["exact_passages"]), LEAST_EXACT), MOST_EXACT), steps)
    except (KeyError, TypeError, ValueError):
        return Measured()


def plan_file(directory: Path, model: str) -> Path:
    return directory / f"plan-{vector_name(model)}.json"


@dataclass(frozen=True)
class _Watched:
    """The index, and what asking it takes."""

    index: Measurable
    clock: Callable[[], float]

    def ask(self, reader: Reader, query: Sequence[float], plan: DensePlan) -> tuple[list[str], float]:
        """The passages found, best first, and milliseconds."""
        started = self.clock()
        hits = self.index.nearest(reader.classes, query, limit=DEPTH, plan=plan)
        return [hit.passage for hit in hits], (self.clock() - started) * 1_000


def _exact_passages(index: _Watched, readers: Sequence[Reader], queries: Sequence[Sequence[float]], milliseconds: float) -> int:
    """How many are compared in that time: between the two readers around it, or beyond the last at its pace."""
    before, before_taken = 0, 0.0
    for reader in readers:
        taken = _exact_milliseconds(index, reader, queries)
        if taken > milliseconds or reader is readers[-1]:
            pace = (taken - before_taken) / (reader.passages - before)
            fits = before + (milliseconds - before_taken) / pace if pace > 0 else MOST_EXACT
            return int(min(max(fits, LEAST_EXACT), MOST_EXACT))
        before, before_taken = reader.passages, taken
    return LEAST_EXACT


def _exact_milliseconds(index: _Watched, reader: Reader, queries: Sequence[Sequence[float]]) -> float:
    """The quickest time of all: every query compares as many, and whatever else runs on the machine only ever adds to it."""
    return min(index.ask(reader, query, DensePlan(exact=True))[1] for _ in range(REPEATS) for query in queries)


def _step(index: _Watched, reader: Reader, queries: Sequence[Sequence[float]]) -> GraphStep:
    """The quickest way that finds enough; if none does, the one that finds most."""
    wanted = [index.ask(reader, query, DensePlan(exact=True))[0] for query in queries]
    tried = {GraphStep(reader.passages, ef, acorn): _tried(index, reader, queries, wanted, ef=ef, acorn=acorn) for ef, acorn in WAYS}
    enough = [step for step, way in tried.items() if way.recall_at_10 >= RECALL_AT_10 and way.recall_at_100 >= RECALL_AT_100]
    if enough:
        return min(enough, key=lambda step: tried[step].milliseconds)
    return max(tried, key=lambda step: (tried[step].recall_at_10, tried[step].recall_at_100))


@dataclass(frozen=True)
class _Way:
    recall_at_10: float
    recall_at_100: float
    milliseconds: float


def _tried(
    index: _Watched, reader: Reader, queries: Sequence[Sequence[float]], wanted: Sequence[list[str]], *, ef: int, acorn: bool
) -> _Way:
    plan = DensePlan(exact=False, ef=ef, acorn_below=1.0 if acorn else 0.0)
    answers = [index.ask(reader, query, plan) for query in queries]
    found = [set(passages) for passages, _ in answers]
    return _Way(_recall(found, wanted, 10), _recall(found, wanted, 100), statistics.median(taken for _, taken in answers))


def _recall(found: Sequence[set[str]], wanted: Sequence[list[str]], at: int) -> float:
    return statistics.fmean(len(here & set(there[:at])) / max(len(there[:at]), 1) for here, there in zip(found, wanted, strict=True))
