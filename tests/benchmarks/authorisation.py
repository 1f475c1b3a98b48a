"""What authorisation costs: `.venv/bin/python -m tests.benchmarks.authorisation`. Writes reports/authorisation.json.

- A retrieval over 20,000 passages, once in 500 access classes that the reader has through 300 groups, once in one class that everyone
  reads: the same passages and queries, turn and turn about, so that the difference is authorisation alone. The steps that it is part
  of are added up: authorise (the scope is remembered), legs (the engine's filter), gate (the classes' check).
- The lexical leg with the IDF of the readable passages and with the engine's own, under the same filter.
- Resolving a principal of 10,000 groups that open 20,000 of 40,000 access classes: anew each time, and remembered.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psycopg
import qdrant_edge as engine
from sqlalchemy import insert, text

from retrieval.adapters.catalog.authority import AccessDefaults, Authority
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.engine import next_revision
from retrieval.adapters.catalog.gate import CatalogGate
from retrieval.adapters.catalog.tables import access_classes, grants, memberships
from retrieval.adapters.qdrant.bm25 import query_terms
from retrieval.adapters.qdrant.collection import LEXICAL
from retrieval.adapters.qdrant.edge_shard import _FILTERS, _sparse
from retrieval.domain.clock import SystemClock, stamp
from retrieval.domain.permissions import EVERYONE, AccessScope, Principal
from retrieval.domain.queries import Query
from retrieval.settings import Settings
from tests import postgres
from tests.benchmarks.processes import REPOSITORY
from tests.benchmarks.report import Figure, Goal, Measured, PartReport, console, show, this_commit, this_machine, write
from tests.benchmarks.world import World
from tests.permissions.askings import OWNER, spec_of
from tests.permissions.oracle import Folder, Paper, Person, State
from tests.permissions.plant import Plant, planted

REPORT = REPOSITORY / "reports" / "authorisation.json"
CLASSES, GROUPS = 500, 300
PASSAGES_PER_CLASS = 40
WORDS_PER_PASSAGE, WORDS_PER_QUERY = 60, 8
VOCABULARY = 30_000
QUERIES, WARM_UP = 600, 50
BIG_GROUPS, CLASSES_PER_GROUP = 10_000, 2
COLD, WARM = 40, 400
READER = Principal("reader")
STEPS = ("authorise", "legs", "gate")


def measure(world: World) -> Measured:
    with TemporaryDirectory(prefix="archivist-authorisation-") as name:
        retrieval, details = _retrieval(Path(name), queries=world.count(QUERIES, 60))
        resolving = [*_resolving("SQLite", open_catalog(Settings(data_directory=Path(name) / "big")))]
        with _postgres() as catalog:
            resolving += _resolving("PostgreSQL", catalog) if catalog is not None else []
    return Measured([*retrieval, *resolving], details)


def _retrieval(directory: Path, *, queries: int) -> tuple[list[Figure], dict[str, Any]]:
    draw = _Words(seed=1)
    bodies = [draw.body() for _ in range(CLASSES)]
    asked = [draw.query() for _ in range(queries + WARM_UP)]
    with ExitStack() as opened:
        many = opened.enter_context(planted(directory / "many", _state(bodies, many=True)))
        one = opened.enter_context(planted(directory / "one", _state(bodies, many=False)))
        for query in asked[:WARM_UP]:
            _same_passages(_ask(many, query)[0], _ask(one, query)[0])
        steps = [(_steps(many, one, query, number)) for number, query in enumerate(asked[WARM_UP:])]
        noise = [(_steps(one, one, query, number)) for number, query in enumerate(asked[WARM_UP:])]
        scopes = {name: plant.catalog.gate.scope(READER) for name, plant in (("many", many), ("one", one))}
        idf = {name: _idf(plant, scopes[name], asked[WARM_UP:]) for name, plant in (("many", many), ("one", one))}
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
    for name, (scoped, unscoped) in idf.items():
        goal = Goal("at most", 2) if name == "many" else None
        classes = f"{len(scopes[name].classes)} classes" if name == "many" else "one class"
        figures += [
            Figure(f"lexical leg, scoped IDF / own IDF, {classes}", scoped / unscoped, "", goal),
            Figure(f"lexical leg p50, scoped IDF, {classes}", scoped, "ms"),
            Figure(f"lexical leg p50, own IDF, {classes}", unscoped, "ms"),
        ]
    counts = {name: {"classes": len(scope.classes), "passages": scope.readable_passages} for name, scope in scopes.items()}
    return figures, {"queries": queries, "groups": GROUPS, "readable": counts}


def _steps(first: Plant, second: Plant, query: str, number: int) -> tuple[dict[str, float], dict[str, float]]:
    """Milliseconds by step in either world; every other time the second is asked first."""
    if number % 2:
        there, here = _ask(second, query)[1], _ask(first, query)[1]
        return here, there
    return _ask(first, query)[1], _ask(second, query)[1]


def _ask(plant: Plant, query: str) -> tuple[list[str], dict[str, float]]:
    found = plant.knowledge.retrieve(READER, Query(query, top_k=10, depth=100))
    return [hit.passage.text for hit in found.hits], {step: found.seconds[step] * 1000 for step in STEPS}


def _same_passages(here: Sequence[str], there: Sequence[str]) -> None:
    if sorted(here) != sorted(there) or not here:
        raise AssertionError("the two worlds answer differently: what they cost cannot be compared")


def _noise(pairs: Sequence[tuple[dict[str, float], dict[str, float]]]) -> float:
    return statistics.median(sum(here.values()) - sum(there.values()) for here, there in pairs)


def _idf(plant: Plant, scope: AccessScope, asked: Sequence[str]) -> tuple[float, float]:
    """Median milliseconds of the lexical leg alone, with the IDF of the readable passages and with that of all."""
    readable = _FILTERS.readable(scope)
    scoped = engine.SearchParams(idf=engine.IdfParams(corpus=readable))
    taken: dict[bool, list[float]] = {True: [], False: []}
    with plant.knowledge.index.index._reading() as generation:  # type: ignore[attr-defined]
        shard = generation.shard._shard
        for number, query in enumerate(asked):
            nearest = engine.Query.Nearest(_sparse(query_terms(query)), using=LEXICAL)
            for is_scoped in (True, False) if number % 2 else (False, True):
                request = engine.QueryRequest(limit=116, query=nearest, filter=readable, params=scoped if is_scoped else None)
                taken[is_scoped].append(_milliseconds(lambda request=request: shard.query_batch(engine.QueryBatchRequest([request]))))
    return statistics.median(taken[True]), statistics.median(taken[False])


def _resolving(name: str, catalog: Catalog) -> Iterator[Figure]:
    try:
        _grant_much(catalog)
        anew = CatalogGate(catalog.database, Authority(catalog.database, AccessDefaults(remembered=0)))
        first = _milliseconds(lambda: anew.scope(READER))
        if len(anew.scope(READER).classes) != BIG_GROUPS * CLASSES_PER_GROUP:
            raise AssertionError("the reader has other classes than were granted")
        cold = [_milliseconds(lambda: anew.scope(READER)) for _ in range(COLD)]
        catalog.gate.scope(READER)
        warm = [_milliseconds(lambda: catalog.gate.scope(READER)) for _ in range(WARM)]
    finally:
        catalog.close()
    yield Figure(f"10,000 groups, resolved anew, p50, {name}", statistics.median(cold), "ms", Goal("at most", 50))
    yield Figure(f"10,000 groups, resolved anew, slowest, {name}", max(cold), "ms")
    yield Figure(f"10,000 groups, resolved anew, first of all, {name}", first, "ms")
    yield Figure(f"10,000 groups, remembered, p50, {name}", statistics.median(warm), "ms", Goal("at most", 1))


def _grant_much(catalog: Catalog) -> None:
    """The reader's groups open two classes each; as many classes are other groups'."""
    catalog.sources.register(spec_of("much", Folder()), by=OWNER)
    groups = [f"group:g{number:05}" for number in range(BIG_GROUPS)] + [f"group:h{number:05}" for number in range(BIG_GROUPS)]
    subjects = [group for group in groups for _ in range(CLASSES_PER_GROUP)]
    with catalog.database.write() as connection:
        next_revision(connection)
        rows = [{"id": n, "source": "much", "fingerprint": f"{n:064}", "passages": 1} for n in range(1, len(subjects) + 1)]
        connection.execute(insert(access_classes), rows)
        granted = [{"access_class": n, "effect": "allow", "subject": subject} for n, subject in enumerate(subjects, 1)]
        connection.execute(insert(grants), granted)
        mine = [{"member": READER.subject, "group": group, "managed_by": "cli"} for group in groups[:BIG_GROUPS]]
        connection.execute(insert(memberships), mine)
    if not catalog.database.is_sqlite:
        with catalog.database.write() as connection:
            connection.execute(text("ANALYZE"))  # as autovacuum does by itself a minute later


@contextmanager
def _postgres() -> Iterator[Catalog | None]:
    if postgres.missing() is not None:
        yield None
        return
    with postgres.cluster() as server:
        with psycopg.connect(server.replace("+psycopg", "") + "/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE measured")
        yield open_catalog(Settings(catalog_url=f"{server}/measured"))


class _Words:
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


def _state(bodies: Sequence[str], *, many: bool) -> State:
    """One document for each body: in a class of its own, or all in the one that everyone reads."""
    papers = {}
    for number, body in enumerate(bodies):
        shared = f"group:g{number % GROUPS}"
        allowed = {shared} if number < GROUPS else {shared, f"group:other{number}"}
        name = f"paper{number:04}"
        papers[name] = Paper(name, "papers", frozenset(allowed if many else {EVERYONE}), frozenset(), name, name, "someone", body)
    mine = frozenset(f"group:g{number}" for number in range(GROUPS))
    return State({"papers": Folder()}, papers, {READER.subject: Person()}, {READER.subject: mine})


def _milliseconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def main() -> int:
    """Returns 0 whether or not the goals were met."""
    machine, started_at, began, load = this_machine(), stamp(SystemClock().now()), time.monotonic(), os.getloadavg()
    measured = measure(World(small="--small" in sys.argv))
    part = PartReport(
        "authorisation", measured, this_commit(REPOSITORY), started_at, time.monotonic() - began, load, os.getloadavg(), goals_apply=True
    )
    show(part)
    write(REPORT, machine, [part])
    console().print("missed: " + "; ".join(figure.name for figure in part.missed()) if part.missed() else "no goal was missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
