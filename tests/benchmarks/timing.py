"""Can time tell a hidden document from an absent one? `.venv/bin/python -m tests.benchmarks.timing`. Writes reports/timing.json.

`archivist serve` runs as a process of its own; one principal asks it over loopback HTTP, one request after the other.

- `GET /documents/{id}` of 300 hidden documents and of 300 ids that are no document's, 5,000 requests of either kind in random order;
  among them as many of 300 other such ids: two kinds that cannot differ, which shows what chance does.
- `POST /retrieve`, the same queries to an installation with the hidden documents and to one without, turn and turn about, and to
  another one without: no two processes are equally fast.

AUC: how often, of one request of either kind, the hidden one's took longer; 0.5 means that guessing does as well. Its 95 % interval is
that of equal distributions. KS is the Kolmogorov-Smirnov test's p: the chance of so large a difference between equal distributions.
"""

import json
import math
import os
import random
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import numpy as np
import yaml
from scipy.stats import ks_2samp, mannwhitneyu

from retrieval.domain.clock import SystemClock, stamp
from retrieval.domain.ids import document_id
from tests.benchmarks.processes import REPOSITORY
from tests.benchmarks.product import Api, Product
from tests.benchmarks.report import Figure, Goal, Measured, PartReport, console, show, this_commit, this_machine, write
from tests.benchmarks.world import World
from tests.permissions.worlds import COMMON

REPORT = REPOSITORY / "reports" / "timing.json"
SEED = 1
WARM_UP = 300
READABLE, HIDDEN = 100, 300
MAX_AUC = 0.53
READER, SOURCE = "reader", "papers"


def measure(world: World) -> Measured:
    drawn = random.Random(SEED)
    samples, retrievals = world.count(5_000, 600), world.count(1_000, 100)
    with TemporaryDirectory(prefix="archivist-timing-") as name, ExitStack() as opened:
        products = [_installed(Path(name) / way, hidden=HIDDEN if way == "with" else 0) for way in ("with", "without", "other")]
        keys = [product.make_key(READER, ["staff"]) for product in products]
        with products[0].serving() as api:
            hidden, absent, others = _documents(_Caller(api, keys[0]), drawn, samples=samples)
        apis = [opened.enter_context(product.serving()) for product in products]
        full, bare, control = _retrievals([_Caller(api, key) for api, key in zip(apis, keys, strict=True)], drawn, count=retrievals)
    figures = [
        *_compared("hidden against absent", hidden, absent, Goal("at most", MAX_AUC)),
        *_compared("absent against other absent", others, absent, None),
        *_compared("/retrieve with against without hidden documents", full, bare, None),
        *_compared("/retrieve without against another without", control, bare, None),
    ]
    return Measured(figures, {"samples": samples, "retrievals": retrievals, "hidden": HIDDEN, "readable": READABLE, "seed": SEED})


def _installed(directory: Path, *, hidden: int) -> Product:
    """A folder of text files: some for the staff, some for nobody whom we know."""
    drawn = random.Random(7)
    root = directory / "files"
    for group, count in (("staff", READABLE), ("board", hidden)):
        (root / group).mkdir(parents=True)
        for number in range(count):
            text = ". ".join(" ".join(drawn.choices(COMMON, k=12)) for _ in range(8))
            (root / group / f"{number:04}.txt").write_text(f"Paper {number:04}\n\n{text}.\n", encoding="utf-8")
    rules = [{"glob": f"{group}/**", "allow": [f"group:{group}"]} for group in ("staff", "board")]
    location = {"root": str(root), "include": ["**"]}
    spec = {"id": SOURCE, "kind": "files", "title": "Papers", "owner": "user:dana", "location": location, "rules": rules}
    file = directory / "sources.yaml"
    file.write_text(yaml.safe_dump([spec]), encoding="utf-8")
    product = Product(directory)
    product.register(file)
    product.sync(SOURCE)
    return product


class _Caller:
    """One connection of one principal. `http.client` adds less of its own than other clients."""

    def __init__(self, api: Api, key: str) -> None:
        address = urlsplit(api.url)
        assert address.hostname is not None
        self._connection = HTTPConnection(address.hostname, address.port, timeout=30)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def milliseconds(self, method: str, path: str, body: str | None = None, *, status: int) -> float:
        """Until the last byte of the response. Raises AssertionError when the status is another one."""
        started = time.perf_counter()
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        response.read()
        took = (time.perf_counter() - started) * 1000
        if response.status != status:
            raise AssertionError(f"{method} {path} was answered with {response.status}")
        return took


def _documents(caller: _Caller, drawn: random.Random, *, samples: int) -> list[list[float]]:
    """Of hidden, absent and other absent ids. Each round asks for every id once, in an order of its own."""
    kinds = [[document_id(SOURCE, f"{folder}/{number:04}.txt") for number in range(HIDDEN)] for folder in ("board", "bored", "broad")]
    caller.milliseconds("GET", f"/documents/{document_id(SOURCE, 'staff/0000.txt')}", status=200)
    taken: list[list[float]] = [[] for _ in kinds]
    while len(taken[0]) < samples + WARM_UP:
        asked = [(id_, kind) for kind, ids in enumerate(kinds) for id_ in ids]
        drawn.shuffle(asked)
        for id_, kind in asked:
            taken[kind].append(caller.milliseconds("GET", f"/documents/{id_}", status=404))
    return [times[WARM_UP : WARM_UP + samples] for times in taken]


def _retrievals(callers: Sequence[_Caller], drawn: random.Random, *, count: int) -> list[list[float]]:
    """One query after the other, each to every caller's installation, in an order of its own."""
    taken: list[list[float]] = [[] for _ in callers]
    for _ in range(count + WARM_UP):
        body = json.dumps({"query": " ".join(drawn.choices(COMMON, k=5)), "top_k": 10})
        for way in drawn.sample(range(len(callers)), len(callers)):
            taken[way].append(callers[way].milliseconds("POST", "/retrieve", body, status=200))
    return [times[-count:] for times in taken]


def _compared(name: str, ones: Sequence[float], others: Sequence[float], goal: Goal | None) -> list[Figure]:
    """AUC is folded: below 0.5 the other kind is the slower one, which tells as much."""
    auc = float(mannwhitneyu(ones, others).statistic) / (len(ones) * len(others))
    spread = 1.96 * math.sqrt((len(ones) + len(others) + 1) / (12 * len(ones) * len(others)))
    return [
        Figure(f"{name}: AUC", max(auc, 1 - auc), "", goal),
        Figure(f"{name}: AUC of equal distributions, at most", 0.5 + spread, ""),
        Figure(f"{name}: KS p", float(ks_2samp(ones, others).pvalue), ""),
        Figure(f"{name}: gap of medians", float(np.median(ones) - np.median(others)) * 1000, "us"),
        Figure(f"{name}: median", float(np.median(ones)), "ms"),
        Figure(f"{name}: interquartile range", float(np.subtract(*np.percentile(ones, [75, 25]))), "ms"),
    ]


def main() -> int:
    """Returns 0 whether or not the goal was met."""
    world = World(small="--small" in sys.argv)
    machine, started_at, began, load = this_machine(), stamp(SystemClock().now()), time.monotonic(), os.getloadavg()
    measured = measure(world)
    seconds = time.monotonic() - began
    part = PartReport("timing", measured, this_commit(REPOSITORY), started_at, seconds, load, os.getloadavg(), goals_apply=not world.small)
    show(part)
    write(REPORT, machine, [part])
    console().print("missed: " + "; ".join(figure.name for figure in part.missed()) if part.missed() else "no goal was missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
