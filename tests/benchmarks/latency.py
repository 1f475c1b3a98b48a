"""How long `/retrieve` and `/answer` take over HTTP for one client, and which step takes it."""

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

from tests.benchmarks import corpus
from tests.benchmarks.product import Api
from tests.benchmarks.report import Figure, Goal, Measured
from tests.benchmarks.world import World

TOP_K = 10
SEED = 7
EXACT_READER = "exact-reader"
EXACT_READER_GROUPS = 40
"""Of 50: under 20,000 readable passages, where the dense leg still compares every one; the most work it ever does so."""
STEPS = ("authenticate", "authorise", "embed", "legs", "fuse", "gate", "attribute", "curated", "evidence", "confidence", "audit")


@dataclass
class Times:
    """Milliseconds of each request as its client sees them, and of each step as the API reports them."""

    walls: list[float] = field(default_factory=list)
    told: list[dict[str, float]] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)

    @property
    def steps(self) -> dict[str, list[float]]:
        """By step; 0 for a request that did without it."""
        names = {name for told in self.told for name in told}
        return {name: [told.get(name, 0.0) for told in self.told] for name in names}

    def percentile(self, share: float) -> float:
        return float(np.percentile(self.walls, share))

    def summary(self) -> dict[str, Any]:
        """Percentiles of the whole, of each step, and of what no step accounts for: HTTP, JSON and the client itself."""
        steps = self.steps
        order = [name for name in STEPS if name in steps] + sorted(steps.keys() - set(STEPS))
        rest = np.array(self.walls) - np.sum([steps[name] for name in order], axis=0)
        rows = {"whole": self.walls} | {name: steps[name] for name in order} | {"http and json": rest.tolist()}
        return {
            "requests": len(self.walls),
            "mean hits": round(float(np.mean(self.hits)), 2),
            "milliseconds": {name: _spread(row) for name, row in rows.items()},
        }


def measure(world: World) -> Measured:
    product = world.main.product
    asked = _test_queries(world)
    warm_up, retrieve, answer = world.count(50, 10), world.count(400, 40), world.count(150, 10)
    key = product.make_reader_key()
    exact_key = product.make_key(EXACT_READER, corpus.groups()[:EXACT_READER_GROUPS])
    with product.serving() as api, api.client(key) as client, api.client(exact_key) as exact_client:
        resting = api.memory_mib()
        ask(client, "/retrieve", asked[:warm_up])
        retrieved = ask(client, "/retrieve", asked[warm_up : warm_up + retrieve])
        answered = ask(client, "/answer", asked[warm_up + retrieve : warm_up + retrieve + answer])
        exact = ask(exact_client, "/retrieve", _other_queries(world, retrieve // 2))
        memory = api.memory_mib()
    figures = [
        Figure("/retrieve p50", retrieved.percentile(50), "ms", Goal("at most", 15)),
        Figure("/retrieve p95", retrieved.percentile(95), "ms", Goal("at most", 40)),
        Figure("/retrieve p99", retrieved.percentile(99), "ms"),
        *(
            Figure(f"/retrieve {name} p50", row["p50"], "ms")
            for name, row in retrieved.summary()["milliseconds"].items()
            if name != "whole"
        ),
        Figure("/answer p50", answered.percentile(50), "ms"),
        Figure("/answer p95", answered.percentile(95), "ms"),
        Figure("/retrieve, dense leg exact, p50", exact.percentile(50), "ms"),
        Figure("/retrieve, dense leg exact, p95", exact.percentile(95), "ms"),
    ]
    details = {
        **world.main.describe(),
        "top k": TOP_K,
        "/retrieve": retrieved.summary(),
        "/answer": answered.summary(),
        "dense leg exact": {"readable": product.scope(EXACT_READER).readable_passages, **exact.summary()},
        "memory in MiB": {"before": resting, "after": memory},
    }
    return Measured(figures, details)


def ask(client: httpx.Client, path: str, queries: Iterable[str]) -> Times:
    """One request after the other over one connection. Every query is new to the API, so none is embedded from memory."""
    times = Times()
    for query in queries:
        body: dict[str, Any] = {"query": query, "top_k": TOP_K} if path == "/retrieve" else {"query": query, "escalate": False}
        started = time.perf_counter()
        response = client.post(path, json=body)
        found = response.raise_for_status().json()
        times.walls.append((time.perf_counter() - started) * 1000)
        times.hits.append(len(found.get("hits", found.get("citations", ()))))
        times.told.append(server_timing(response.headers["Server-Timing"]))
    return times


def server_timing(header: str) -> dict[str, float]:
    """`embed;dur=3.2, legs;dur=4.1` as milliseconds by step."""
    steps = (step.strip().partition(";dur=") for step in header.split(","))
    return {name: float(duration) for name, _, duration in steps}


def warm(api: Api, key: str, world: World) -> None:
    """A few different requests of both kinds."""
    with api.client(key) as client:
        asked = _other_queries(world, world.count(230, 25))
        ask(client, "/retrieve", asked[: -len(asked) // 8])
        ask(client, "/answer", asked[-len(asked) // 8 :])


def _test_queries(world: World) -> Sequence[str]:
    """Different ones, those of both collections mixed, in the same order every time."""
    found = corpus.queries(world.evaluation_data, "scifact") + corpus.queries(world.evaluation_data, "nfcorpus")
    different = list(dict.fromkeys(found))
    random.Random(SEED).shuffle(different)
    return different


def _other_queries(world: World, count: int) -> Sequence[str]:
    """None of the test queries: the API remembers the vectors of recent queries."""
    tests = set(_test_queries(world))
    found = dict.fromkeys(corpus.queries(world.evaluation_data, "scifact", "queries.train.jsonl"))
    return [query for query in found if query not in tests][:count]


def _spread(row: Sequence[float]) -> dict[str, float]:
    return {f"p{share}": round(float(np.percentile(row, share)), 3) for share in (50, 95, 99)}
