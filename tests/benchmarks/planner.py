"""How well and how fast the dense leg finds what a reader may read, at several readable shares: against comparing all of it.

The vectors are real: those of the windows' blocks and of two blocks together, 200,000 in all and the first 50,000 of them. One access class
holds 20 % of everything, a thousand others the rest, drawn by document; readers are given classes until they read the wanted share. The
index is built as the product builds it, its plan is the one that the build measured, and searches ask for what `/retrieve` asks for.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from retrieval.adapters.qdrant.building import build_generation
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.adapters.qdrant.generations import Generations
from retrieval.adapters.qdrant.measuring import read_measured
from retrieval.adapters.qdrant.planner import DenseLimits, DensePlan, Measured, plan_dense
from retrieval.bootstrap import open_embedder
from retrieval.domain.passages import IndexedDocument, IndexedPassage
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.ports.models import Vectors
from retrieval.ports.reading import LegSearch
from retrieval.ports.writing import ChangeFeed
from retrieval.settings import Settings
from tests.benchmarks.report import Figure, Goal, console
from tests.benchmarks.report import Measured as Report
from tests.benchmarks.windows import SEED, Windows, read
from tests.benchmarks.world import World

SIZES = (50_000, 200_000)
SHARES = {"100 %": 1.0, "50 %": 0.5, "24 %": 0.24, "20 %, one class": 0.0, "10 %": 0.1, "1.5 %": 0.015, ".1 %": 0.001}
"""Of the passages; 0: the large class alone. Where it fits, the reader reads the large class and some of the others."""
LARGE_CLASS, LARGE_SHARE, OTHERS = 0, 0.2, 1_000
DEPTH = 100
DOCUMENT_PASSAGES = 100
QUERIES = 200


@dataclass(frozen=True)
class Planned:
    """An index, and what is in it: vectors of shape (passages, dimensions), and each one's access class."""

    index: EdgeIndex
    measured: Measured
    vectors: Vectors
    classes: np.ndarray


@dataclass(frozen=True)
class Reading:
    """What was found for one reader."""

    passages: int
    classes: int
    plan: DensePlan
    recall_at_10: float
    recall_at_100: float
    milliseconds: Sequence[float]


def measure(world: World) -> Report:
    embedder = open_embedder(Settings())
    windows = read(world, embedder)
    queries = windows.query_vectors[: world.count(QUERIES, 20)]
    identity = IndexIdentity(embedder.model, embedder.dimensions)
    figures: list[Figure] = []
    details: dict[str, object] = {}
    for size in SIZES if not world.small else (2_000,):
        vectors, of_document = _vectors(windows, size)
        classes = _classes(of_document)
        directory, seconds = _built(world, identity, vectors, classes)
        measured = read_measured(Generations(directory).current() or directory, identity.model)
        index = EdgeIndex.open(directory, identity)
        try:
            planned = Planned(index, measured, vectors, classes)
            readings = {name: _reading(planned, queries, share) for name, share in SHARES.items()}
        finally:
            index.close()
        details[f"{size:,}"] = {"built in seconds": seconds, "measured": str(measured)} | {name: _told(r) for name, r in readings.items()}
        for name, reading in readings.items():
            at = f"{size:,} passages, {name} readable"
            figures.append(Figure(f"recall@10, {at}", reading.recall_at_10, "", Goal("at least", 0.99)))
            figures.append(Figure(f"recall@100, {at}", reading.recall_at_100, ""))
            figures.append(Figure(f"dense leg p50, {at}", float(np.median(reading.milliseconds)), "ms", Goal("at most", 3)))
    return Report(figures, details)


def _vectors(windows: Windows, size: int) -> tuple[Vectors, np.ndarray]:
    """Shape (size, dimensions), and the number of the document that each is of. A document's are neighbours."""
    pairs = windows.passage_vectors(2)
    number = np.repeat(np.arange(len(windows.documents)), [len(document.blocks) for document in windows.documents])
    rows, documents = np.concatenate([windows.vectors, pairs]), np.concatenate([number, number])
    order = np.argsort(documents, kind="stable")[:size]
    return rows[order], documents[order]


def _classes(of_document: np.ndarray) -> np.ndarray:
    drawn = random.Random(SEED)
    count = int(of_document.max()) + 1
    chosen = [LARGE_CLASS if drawn.random() < LARGE_SHARE else drawn.randint(1, OTHERS) for _ in range(count)]
    return np.array(chosen)[of_document]


def _built(world: World, identity: IndexIdentity, vectors: Vectors, classes: np.ndarray) -> tuple[Path, float]:
    """An index of these, built in this process, which waits for it. Made anew every time: how long that takes is measured, too."""
    directory = world.emptied(f"planner-{len(vectors)}")
    feed = cast(ChangeFeed, _Feed(vectors, classes))
    began = time.monotonic()
    index = EdgeIndex.open(directory, identity)
    try:
        build = index.generations.new_build()
        build_generation(feed, build, identity)
        index.swap(build, lambda _generation: None)
    finally:
        index.close()
    seconds = time.monotonic() - began
    console().print(f"index of {len(vectors):,} passages built and measured in {seconds:.0f} s")
    return directory, round(seconds, 1)


@dataclass(frozen=True)
class _Feed:
    """What a build asks of the catalog: documents of one access class each, since it does not matter to the leg what else they are."""

    vectors: Vectors
    classes: np.ndarray

    def passage_count(self) -> int:
        return len(self.classes)

    @contextmanager
    def snapshot(self) -> Iterator[tuple[int, Iterator[IndexedDocument]]]:
        yield 1, self._documents()

    def _documents(self) -> Iterator[IndexedDocument]:
        for access_class in np.unique(self.classes):
            rows = np.flatnonzero(self.classes == access_class)
            for at in range(0, len(rows), DOCUMENT_PASSAGES):
                part = enumerate(rows[at : at + DOCUMENT_PASSAGES])
                passages = tuple(
                    IndexedPassage(_id(int(row)), number, "passage", "", tuple(self.vectors[row].tolist())) for number, row in part
                )
                name = f"{access_class}_{at}"
                yield IndexedDocument(f"doc_{name}", "windows", int(access_class), f"ver_{name}", 1, passages)


def _id(row: int) -> str:
    """Scattered, as ids made of hashes are."""
    return f"{(row * 2_654_435_761) % 2**32:08x}-0000-8000-8000-{row:012x}"


def _reading(planned: Planned, queries: Vectors, share: float) -> Reading:
    read_classes = _read_classes(planned.classes, share)
    rows = np.flatnonzero(np.isin(planned.classes, read_classes))
    scope = AccessScope(Principal("planner"), tuple(read_classes), revision=1, readable_passages=len(rows))
    best = _best(planned.vectors[rows], queries)
    plan = plan_dense(scope, limit=DEPTH, limits=DenseLimits(measured=planned.measured))
    recalls: dict[int, list[float]] = {10: [], 100: []}
    taken = []
    for query, order in zip(queries, best, strict=True):
        search = LegSearch("", query, DEPTH)
        started = time.perf_counter()
        found = {hit.passage for hit in planned.index.search(scope, search).dense.hits}
        taken.append((time.perf_counter() - started) * 1_000)
        for at, recall in recalls.items():
            wanted = {_id(int(rows[row])) for row in order[:at]}
            recall.append(len(found & wanted) / len(wanted))
    return Reading(len(rows), len(read_classes), plan, float(np.mean(recalls[10])), float(np.mean(recalls[100])), taken)


def _read_classes(classes: np.ndarray, share: float) -> list[int]:
    if not share:
        return [LARGE_CLASS]
    held = np.bincount(classes, minlength=OTHERS + 1)
    read_classes, passages = ([LARGE_CLASS], int(held[LARGE_CLASS])) if share > LARGE_SHARE else ([], 0)
    for access_class in range(1, OTHERS + 1):
        if passages >= share * len(classes):
            break
        read_classes.append(access_class)
        passages += int(held[access_class])
    return read_classes


def _best(rows: Vectors, queries: Vectors) -> np.ndarray:
    """Shape (queries, at most 100): the places of the rows with the greatest products, greatest first."""
    scores = queries @ rows.T
    return np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]


def _told(reading: Reading) -> dict[str, object]:
    times = np.percentile(reading.milliseconds, [50, 95])
    return {
        "readable": reading.passages,
        "access classes": reading.classes,
        "plan": str(reading.plan),
        "p50": round(float(times[0]), 3),
        "p95": round(float(times[1]), 3),
    }
