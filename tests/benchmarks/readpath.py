"""The steps of `/retrieve` without HTTP and without embedding the query, over 100,000 passages, beside what would be picked instead.

The product: catalog, index, permissions and audit log as `archivist serve` wires them; the reader is in 300 of 500 groups. The others get
the same texts and vectors, in memory, and know no permissions. Every query is different, and everybody is asked for 100 hits per leg.
"""

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from rank_bm25 import BM25Okapi

from retrieval.bootstrap import open_embedder
from retrieval.domain.queries import Query
from retrieval.evaluation.peers.shelf import Ask, Peer, Shelf
from retrieval.evaluation.peers.table import PEERS
from retrieval.ports.models import Vectors
from retrieval.ports.reading import Candidate, LegSearch
from retrieval.service import KnowledgeService
from retrieval.settings import Settings
from tests.benchmarks import bulk
from tests.benchmarks.report import Figure, Goal, Measured, console
from tests.benchmarks.windows import Windows, read
from tests.benchmarks.world import World

TOP_K, DEPTH = 10, 100
WARM_UP, QUERIES = 100, 600
PEER_WARM_UP, PEER_QUERIES, PEER_SECONDS = 2, 100, 40.0
"""A peer is asked at most so many queries, and none after so many seconds."""
RANK_CONSTANT = 60


@dataclass(frozen=True)
class Took:
    """Milliseconds of each query, and of each of its steps where they are known."""

    whole: Sequence[float]
    steps: dict[str, list[float]]

    def percentile(self, share: float) -> float:
        return float(np.percentile(self.whole, share))


def measure(world: World) -> Measured:
    embedder = open_embedder(Settings())
    windows = read(world, embedder)
    with bulk.serving(world, windows, embedder) as (service, knowledge):
        scope = service.catalog.gate.scope(bulk.READER)
        product = _product(knowledge, windows, world.count(WARM_UP, 5), world.count(QUERIES, 30))
        gate = _gate(knowledge, windows)
    peers = _peers(world, windows)
    figures = [
        Figure("steps p50", product.percentile(50), "ms", Goal("at most", 5)),
        Figure("steps p95", product.percentile(95), "ms", Goal("at most", 12)),
        *(Figure(f"of that, {name} p50", float(np.median(taken)), "ms") for name, taken in product.steps.items()),
        *(Figure(f"gate with texts, {count} candidates, p50", taken, "ms") for count, taken in gate.items()),
    ]
    for name, took in peers.items():
        figures += [Figure(f"{name} p50", took.percentile(50), "ms"), Figure(f"{name} p95", took.percentile(95), "ms")]
        figures.append(Figure(f"{name} / product, p50", took.percentile(50) / product.percentile(50), ""))
    fastest = min(took.percentile(50) for took in peers.values())
    figures.append(Figure("fastest of the others / product, p50", fastest / product.percentile(50), "", Goal("at least", 10)))
    details = {
        "passages": sum(len(document.blocks) for document in bulk.taken(world, windows)),
        "readable": scope.readable_passages,
        "access classes": len(scope.classes),
        "queries": len(product.whole),
        "p95 by step": {name: round(float(np.percentile(taken, 95)), 3) for name, taken in product.steps.items()},
        "queries of the others": {name: len(took.whole) for name, took in peers.items()},
    }
    return Measured(figures, details)


def _product(knowledge: KnowledgeService, windows: Windows, warm_up: int, count: int) -> Took:
    asked = iter(windows.queries)
    for text in islice(asked, warm_up):
        knowledge.retrieve(bulk.READER, Query(text, top_k=TOP_K, depth=DEPTH))
    whole: list[float] = []
    steps: dict[str, list[float]] = {}
    for text in islice(asked, count):
        started = time.perf_counter()
        found = knowledge.retrieve(bulk.READER, Query(text, top_k=TOP_K, depth=DEPTH))
        whole.append((time.perf_counter() - started) * 1_000)
        for name, seconds in found.seconds.items():
            steps.setdefault(name, []).append(seconds * 1_000)
    return Took(whole, steps)


def _gate(knowledge: KnowledgeService, windows: Windows) -> dict[int, float]:
    """Median milliseconds of reading so many passages' texts and gating them."""
    scope = knowledge.scopes.scope(bulk.READER)
    taken: dict[int, list[float]] = {20: [], 50: [], 100: []}
    for text, vector in zip(windows.queries[:100], windows.query_vectors, strict=False):
        runs = knowledge.index.search(scope, LegSearch(text, vector, DEPTH))
        for count, times in taken.items():
            wanted = [hit.passage for hit in runs.dense.hits[:count]]
            started = time.perf_counter()
            texts = knowledge.index.texts(scope, wanted)
            knowledge.gate.gate(bulk.READER, [Candidate(passage, texts[passage]) for passage in wanted])
            times.append((time.perf_counter() - started) * 1_000)
    return {count: float(np.median(times)) for count, times in taken.items()}


def _peers(world: World, windows: Windows) -> dict[str, Took]:
    texts = [document.passage(at) for document in bulk.taken(world, windows) for at in range(len(document.blocks))]
    vectors = windows.passage_vectors()[: len(texts)]
    shelf = Shelf([f"p{number}" for number in range(len(texts))], texts, vectors, DEPTH)
    wanted: dict[str, Callable[[], Peer]] = {"haystack": PEERS["haystack"], "llama-index": PEERS["llama-index"]}
    wanted["rank_bm25 and numpy"] = lambda: rank_bm25_and_numpy
    taken = {}
    for name, load in wanted.items():
        began = time.monotonic()
        ask = load()(shelf)
        console().print(f"{name} took the passages in, in {time.monotonic() - began:.0f} s")
        taken[name] = _asked(ask, zip(windows.queries, windows.query_vectors, strict=True), world.count(PEER_QUERIES, 5))
        del ask
        gc.collect()
    return taken


def _asked(ask: Ask, queries: Iterable[tuple[str, Vectors]], count: int) -> Took:
    each = iter(queries)
    for text, vector in islice(each, PEER_WARM_UP):
        ask(text, vector)
    whole: list[float] = []
    began = time.monotonic()
    for text, vector in islice(each, count):
        started = time.perf_counter()
        ask(text, vector)
        whole.append((time.perf_counter() - started) * 1_000)
        if time.monotonic() - began > PEER_SECONDS:
            break
    return Took(whole, {})


def rank_bm25_and_numpy(shelf: Shelf) -> Ask:
    """What one writes in an afternoon: BM25Okapi, a matrix of vectors, and reciprocal rank fusion."""
    lexical = BM25Okapi([text.lower().split() for text in shelf.texts])

    def ask(text: str, vector: Vectors) -> Sequence[str]:
        legs = (lexical.get_scores(text.lower().split()), shelf.vectors @ vector)
        fused: dict[int, float] = {}
        for scores in legs:
            head = np.argpartition(-scores, min(shelf.depth, len(scores) - 1))[: shelf.depth]
            for rank, at in enumerate(head[np.argsort(-scores[head])], 1):
                fused[int(at)] = fused.get(int(at), 0.0) + 1 / (RANK_CONSTANT + rank)
        return [shelf.ids[at] for at in sorted(fused, key=lambda at: -fused[at])[: shelf.depth]]

    return ask
