"""What authorisation costs: `.venv/bin/python -m tests.benchmarks.authorisation`. Writes reports/authorisation.json.

- A retrieval over 20,000 passages, once in 500 access classes that the reader has through 300 groups, once in one class that everyone
  reads: the same passages and queries, turn and turn about, so that the difference is authorisation alone. The steps that it is part
  of are added up: authorise (the scope is remembered), legs (the engine's filter), gate (the classes' check).
- The lexical leg with the IDF of the readable passages and with the engine's own, under the same filter: the leg as the product runs
  it, tokenising to ranking, and the engine's request alone.
- Resolving a principal of 10,000 groups that open 20,000 of 40,000 access classes: anew each time, and remembered.
"""

import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import qdrant_edge as engine

from retrieval.adapters.qdrant import edge_shard
from retrieval.adapters.qdrant.bm25 import query_terms
from retrieval.adapters.qdrant.edge_shard import EdgeShard
from retrieval.adapters.qdrant.legs import MARGIN, Engine, LegRequest, search_legs
from retrieval.adapters.qdrant.planner import DenseLimits, DensePlan
from retrieval.domain.clock import SystemClock, stamp
from retrieval.domain.permissions import EVERYONE, AccessScope
from retrieval.domain.queries import Query
from retrieval.domain.runs import Hit, Leg
from retrieval.ports.reading import LegSearch
from tests.benchmarks.processes import REPOSITORY
from tests.benchmarks.report import Figure, Goal, Measured, PartReport, console, show, this_commit, this_machine, write
from tests.benchmarks.resolving import READER, milliseconds, resolving
from tests.benchmarks.world import World
from tests.permissions.oracle import Folder, Paper, Person, State
from tests.permissions.plant import Plant, planted

REPORT = REPOSITORY / "reports" / "authorisation.json"
CLASSES, GROUPS = 500, 300
PASSAGES_PER_CLASS = 40
WORDS_PER_PASSAGE, WORDS_PER_QUERY = 60, 8
VOCABULARY = 30_000
QUERIES, WARM_UP = 600, 50
DEPTH, TOP_K = 100, 10
STEPS = ("authorise", "legs", "gate")


def measure(world: World) -> Measured:
    with TemporaryDirectory(prefix="archivist-authorisation-") as name:
        retrieval, details = _retrieval(Path(name), queries=world.count(QUERIES, 60))
        return Measured([*retrieval, *resolving(Path(name) / "big")], details)


def _retrieval(directory: Path, *, queries: int) -> tuple[list[Figure], dict[str, Any]]:
    draw = Words(seed=1)
    bodies = [draw.body() for _ in range(CLASSES)]
    asked = [draw.query() for _ in range(queries + WARM_UP)]
    with ExitStack() as opened:
        many = opened.enter_context(planted(directory / "many", state_of(bodies, many=True)))
        one = opened.enter_context(planted(directory / "one", state_of(bodies, many=False)))
        for query in asked[:WARM_UP]:
            _same_passages(_ask(many, query)[0], _ask(one, query)[0])
        steps = [(_steps(many, one, query, number)) for number, query in enumerate(asked[WARM_UP:])]
        noise = [(_steps(one, one, query, number)) for number, query in enumerate(asked[WARM_UP:])]
        scopes = {"500 classes": (many, many.catalog.gate.scope(READER)), "one class": (one, one.catalog.gate.scope(READER))}
        scopes["half of 500 classes"] = (many, _half(scopes["500 classes"][1]))
        lexical = {name: _lexical(plant, scope, asked[WARM_UP:]) for name, (plant, scope) in scopes.items()}
    added = {step: statistics.median(m[step] - o[step] for m, o in steps) for step in STEPS}
    whole = {way: [sum(pair[way].values()) for pair in steps] for way in (0, 1)}
    figures = [
        Figure("authorisation adds to p50", statistics.median(whole[0]) - statistics.median(whole[1]), "ms", Goal("at most", 1)),
        Figure("of the pairs, median", statistics.median(m - o for m, o in zip(whole[0], whole[1], strict=True)), "ms"),
        Figure("one class against itself, of the pairs, median", _noise(noise), "ms"),
        *(Figure(f"of that, {step}", milliseconds, "ms") for step, milliseconds in added.items()),
        Figure("steps p50, 500 classes", statistics.median(whole[0]), "ms"),
        Figure("steps p50, one class", statistics.median(whole[1]), "ms"),
    ]
    for name, parts in lexical.items():
        figures += _lexical_figures(name, parts, goal=Goal("at most", 2) if name == "500 classes" else None)
    return figures, {"queries": queries, "groups": GROUPS, "passages": CLASSES * PASSAGES_PER_CLASS}


def _half(scope: AccessScope) -> AccessScope:
    """As if the reader had every other class."""
    return replace(scope, classes=scope.classes[::2], readable_passages=scope.readable_passages // 2)


def _lexical_figures(classes: str, parts: dict[str, tuple[float, float]], *, goal: Goal | None) -> Iterator[Figure]:
    for part, (scoped, own) in parts.items():
        yield Figure(f"lexical {part}, scoped IDF / own IDF, {classes}", scoped / own, "", goal if part == "leg" else None)
        yield Figure(f"lexical {part} p50, scoped IDF, {classes}", scoped, "ms")
        yield Figure(f"lexical {part} p50, own IDF, {classes}", own, "ms")


def _steps(first: Plant, second: Plant, query: str, number: int) -> tuple[dict[str, float], dict[str, float]]:
    """Milliseconds by step in either world; every other time the second is asked first."""
    if number % 2:
        there, here = _ask(second, query)[1], _ask(first, query)[1]
        return here, there
    return _ask(first, query)[1], _ask(second, query)[1]


def _ask(plant: Plant, query: str) -> tuple[list[str], dict[str, float]]:
    found = plant.knowledge.retrieve(READER, Query(query, top_k=TOP_K, depth=DEPTH))
    return [hit.passage.text for hit in found.hits], {step: found.seconds[step] * 1000 for step in STEPS}


def _same_passages(here: Sequence[str], there: Sequence[str]) -> None:
    if sorted(here) != sorted(there) or not here:
        raise AssertionError("the two worlds answer differently: what they cost cannot be compared")


def _noise(pairs: Sequence[tuple[dict[str, float], dict[str, float]]]) -> float:
    return statistics.median(sum(here.values()) - sum(there.values()) for here, there in pairs)


def _lexical(plant: Plant, scope: AccessScope, asked: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Median milliseconds with the IDF of the readable passages and with that of all: of the leg as it is, and of the engine's part."""
    taken: dict[str, tuple[list[float], list[float]]] = {"leg": ([], []), "engine": ([], [])}
    with plant.knowledge.index.index._reading() as generation:  # type: ignore[attr-defined]
        ways: tuple[Engine, Engine] = (generation.shard, _OwnIdf(generation.shard))
        for number, query in enumerate(asked):
            wanted = LegSearch(query, None, DEPTH)
            request = LegRequest(Leg.LEXICAL, query_terms(query), DEPTH + MARGIN, DensePlan(exact=True))
            for way in (0, 1) if number % 2 else (1, 0):
                taken["leg"][way].append(milliseconds(partial(search_legs, ways[way], scope, wanted, limits=DenseLimits())))
                taken["engine"][way].append(milliseconds(partial(ways[way].ask, scope, (), [request])))
    return {part: (statistics.median(scoped), statistics.median(own)) for part, (scoped, own) in taken.items()}


@dataclass(frozen=True)
class _OwnIdf:
    """The shard's lexical search under the same filter, but with terms weighed by how rare they are among all, hidden passages too."""

    shard: EdgeShard

    def ask(self, scope: AccessScope, sources: Sequence[str], requests: Sequence[LegRequest]) -> list[list[Hit]]:
        readable = edge_shard._FILTERS.readable(scope, sources=sources)
        counts = self.shard._terms.counts()
        everything = replace(scope, classes=tuple({access_class for access_class, _, _ in counts._places}))
        queries = [
            edge_shard._query(self.shard._terms.weighed(everything, (), request), within=readable, dense=self.shard._identity.name_of(""))
            for request in requests
        ]
        answers = self.shard._shard.query_batch(engine.QueryBatchRequest(queries))
        return [[Hit(str(point.id), point.score) for point in points] for points in answers]

    def readable_passages(self, scope: AccessScope) -> int:
        return self.shard.readable_passages(scope)


class Words:
    """Passages and queries of words that are as unevenly frequent as in a language (Zipf)."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        frequencies = 1 / (np.arange(VOCABULARY) + 10.0)
        self._frequencies = frequencies / frequencies.sum()

    def body(self) -> str:
        return " ".join(f"{self._some(WORDS_PER_PASSAGE)}." for _ in range(PASSAGES_PER_CLASS))

    def query(self) -> str:
        return self._some(WORDS_PER_QUERY)

    def _some(self, count: int) -> str:
        return " ".join(f"word{number}" for number in self._random.choice(VOCABULARY, size=count, p=self._frequencies))


def state_of(bodies: Sequence[str], *, many: bool) -> State:
    """The world of READER: one document for each body: in a class of its own, or all in the one that everyone reads."""
    papers = {}
    for number, body in enumerate(bodies):
        shared = f"group:g{number % GROUPS}"
        allowed = {shared} if number < GROUPS else {shared, f"group:other{number}"}
        name = f"paper{number:04}"
        papers[name] = Paper(name, "papers", frozenset(allowed if many else {EVERYONE}), frozenset(), name, name, "someone", body)
    mine = frozenset(f"group:g{number}" for number in range(GROUPS))
    return State({"papers": Folder()}, papers, {READER.subject: Person()}, {READER.subject: mine})


def main() -> int:
    """Returns 0 whether or not the goals were met."""
    world = World(small="--small" in sys.argv)
    machine, started_at, began, load = this_machine(), stamp(SystemClock().now()), time.monotonic(), os.getloadavg()
    measured = measure(world)
    seconds = time.monotonic() - began
    part = PartReport(
        "authorisation", measured, this_commit(REPOSITORY), started_at, seconds, load, os.getloadavg(), goals_apply=not world.small
    )
    show(part)
    write(REPORT, machine, [part])
    console().print("missed: " + "; ".join(figure.name for figure in part.missed()) if part.missed() else "no goal was missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
