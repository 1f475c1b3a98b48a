"""What a moment costs: `.venv/bin/python -m tests.benchmarks.as_of`. Writes reports/as_of.json.

20,000 passages in 500 classes that the reader has through 300 groups, over which nothing has been changed; then every document is
rewritten, so that the index holds as many past passages as current ones. Queries of now and of the moment before are asked turn and turn
about: everything between authorising and the record, without embedding the query, which costs the same in both. The graph is left out of
both. Recall is that of the graph search with ACORN against all passages compared, which is what is done up to a measured number.
"""

import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.adapters.qdrant.legs import search_legs
from retrieval.adapters.qdrant.planner import DenseLimits
from retrieval.domain.clock import SystemClock, stamp
from retrieval.domain.permissions import AccessScope
from retrieval.domain.queries import Moment, Query
from retrieval.indexing.owner import IndexOwner
from retrieval.ports.reading import LegSearch
from tests.benchmarks.authorisation import CLASSES, DEPTH, GROUPS, PASSAGES_PER_CLASS, TOP_K, Words, state_of
from tests.benchmarks.processes import REPOSITORY
from tests.benchmarks.report import Figure, Goal, Measured, PartReport, console, show, this_commit, this_machine, write
from tests.benchmarks.resolving import READER
from tests.benchmarks.world import World
from tests.permissions.oracle import State
from tests.permissions.plant import Plant, planted
from tests.retrieval.indexing.world import InProcessBuilder

REPORT = REPOSITORY / "reports" / "as_of.json"
QUERIES, WARM_UP = 400, 40
DIMENSIONS = 384
HEAD = 10


def measure(world: World) -> Measured:
    words = Words(seed=2)
    asked = [words.query() for _ in range(world.count(QUERIES, 40) + WARM_UP)]
    classes = world.count(CLASSES, 50)
    first, second = (state_of([words.body() for _ in range(classes)], many=True) for _ in range(2))
    with TemporaryDirectory(prefix="archivist-as-of-") as name, planted(Path(name), first, dimensions=DIMENSIONS, graph_weight=0) as plant:
        before = _taken(plant, asked, [None])[0]
        moment = _rewritten(plant, second)
        now, then, own = _taken(plant, asked, [None, moment, None])
        now_renewed, then_renewed = _renewed(plant, asked, moment)
        recall = _recall(plant, asked[WARM_UP:], moment)
    ratio = statistics.median(then) / statistics.median(now)
    figures = [
        Figure("as_of / now, p50", ratio, "", Goal("at most", 1.5)),
        Figure("as_of / now, of the pairs, median", statistics.median(t / n for t, n in zip(then, now, strict=True)), ""),
        Figure("as_of p50", statistics.median(then), "ms"),
        Figure("now p50, with as many past passages", statistics.median(now), "ms"),
        Figure("now against itself, p50", statistics.median(own) / statistics.median(now), ""),
        Figure("now p50, without any past", statistics.median(before), "ms"),
        Figure("now with past / without, p50", statistics.median(now) / statistics.median(before), ""),
        Figure(
            "as_of / now, p50, index built anew", statistics.median(then_renewed) / statistics.median(now_renewed), "", Goal("at most", 1.5)
        ),
        Figure("now p50, index built anew", statistics.median(now_renewed), "ms"),
        Figure("as_of recall@10 of the graph search", recall, "", Goal("at least", 0.99)),
    ]
    details = {"queries": len(asked) - WARM_UP, "passages": classes * PASSAGES_PER_CLASS, "groups": GROUPS, "dimensions": DIMENSIONS}
    return Measured(figures, details)


def _rewritten(plant: Plant, state: State) -> Moment:
    """Publish other contents of all documents. Returns the moment before."""
    clock: Any = plant.catalog.database.clock
    at = clock.at
    clock.at += timedelta(hours=1)
    plant.sync("papers", state.papers)
    plant.follow()
    return plant.catalog.history.at(at + timedelta(minutes=1))


def _taken(plant: Plant, asked: Sequence[str], moments: Sequence[Moment | None]) -> list[list[float]]:
    """Milliseconds of each query, for each moment; in another order with each query."""
    taken: list[list[float]] = [[] for _ in moments]
    for number, text in enumerate(asked):
        for turn in range(len(moments)):
            which = (number + turn) % len(moments)
            query = Query(text, top_k=TOP_K, depth=DEPTH, as_of=moments[which])
            found = plant.knowledge.retrieve(READER, query)
            if not found.hits:
                raise AssertionError("nothing was found: what it costs says nothing")
            if number >= WARM_UP:
                taken[which].append(1_000 * sum(seconds for step, seconds in found.seconds.items() if step != "embed"))
    return taken


def _renewed(plant: Plant, asked: Sequence[str], moment: Moment) -> list[list[float]]:
    """The same over an index that was built from the catalog as it is, as one is from time to time."""
    index: Any = plant.knowledge.index
    feed = CatalogFeed(plant.catalog.database, plant.embedder.model, past_days=plant.settings.as_of_max_days)
    builder = InProcessBuilder(feed, index.index.identity)
    IndexOwner(feed, index.index, builder, batch_documents=64, renew_after_passages=1_000_000).rebuild()
    return _taken(plant, asked, [None, moment])


def _recall(plant: Plant, asked: Sequence[str], moment: Moment) -> float:
    """Of the first ten passages of the dense leg, with every passage compared and without."""
    scope: AccessScope = replace(plant.catalog.gate.scope(READER), as_of=moment.revision)
    shares = []
    with plant.knowledge.index.index._reading() as generation:  # type: ignore[attr-defined]
        for text in asked:
            search = LegSearch("", plant.embedder.embed_query(text), DEPTH)
            exact, graph = (
                {hit.passage for hit in search_legs(generation.shard, scope, search, limits=DenseLimits(most)).dense.hits[:HEAD]}
                for most in (1_000_000, 1)
            )
            shares.append(len(exact & graph) / HEAD)
    return statistics.fmean(shares)


def main() -> int:
    """Returns 0 whether or not the goals were met."""
    world = World(small="--small" in sys.argv)
    machine, started_at, began, load = this_machine(), stamp(SystemClock().now()), time.monotonic(), os.getloadavg()
    measured = measure(world)
    seconds = time.monotonic() - began
    part = PartReport("as_of", measured, this_commit(REPOSITORY), started_at, seconds, load, os.getloadavg(), goals_apply=not world.small)
    show(part)
    write(REPORT, machine, [part])
    console().print("missed: " + "; ".join(figure.name for figure in part.missed()) if part.missed() else "no goal was missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
