"""What following many sources costs, and what a run costs beyond its work: `python -m tests.benchmarks.automation`.

The product's own `pipelines.serve` runs over a catalog of many sources that are up to date, a twentieth of them with an hourly schedule.
Measured are the processor time of its processes while nothing is to be done, the sensor's looks, the queries behind the page of
partitions, and how long a push and a registration wait around the run that they lead to.
"""

import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import psutil

from pipelines.assets.partitions import SOURCES_NAME
from pipelines.home import dagster_environment, dagster_instance
from retrieval.adapters.blobs import FsspecBlobs
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.clock import SystemClock, stamp, unstamp
from retrieval.domain.permissions import AccessPolicy, Principal, PrincipalKind
from retrieval.domain.sources import PermissionRule, SourceSpec
from retrieval.push_service import Push
from retrieval.services import PushService
from retrieval.settings import Settings
from tests.benchmarks.processes import REPOSITORY, log_files, running, tail
from tests.benchmarks.report import Figure, Goal, Measured, PartReport, show, this_commit, this_machine, write
from tests.ports import free_port

REPORT = REPOSITORY / "reports" / "automation.json"
SOURCES = int(os.environ.get("ARCHIVIST_BENCH_SOURCES", "1000"))
HOURLY_EVERY = 20
SETTLE_SECONDS = 20.0
WATCH_SECONDS = 60.0
RUNS = 2
START_SECONDS = 120.0
RUN_SECONDS = 240.0
ASSETS = ("source_listing", "publication")
"""Shown as materialised for every source; the others of the chain are in the page without."""
_PAGE = """query Page($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
  partitionKeysByDimension { partitionKeys }
  partitionStats { numMaterialized numPartitions }
  assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions unmaterializedPartitions } } } } }"""
_OVERVIEW = "{ assetNodes { assetKey { path } partitionStats { numMaterialized numPartitions numFailed } } }"


def measure(folder: Path) -> Measured:
    (folder / "documents").mkdir(parents=True)
    settings = Settings(data_directory=folder / "archivist", dagster_port=free_port())
    catalog = open_catalog(settings)
    try:
        _register_many(catalog, folder / "documents")
        _materialise(settings)
        with _serving(settings, folder / "logs") as root:
            time.sleep(SETTLE_SECONDS)
            figures = [*_processor_shares(root), *_pages(settings)]
            overheads = _overheads(catalog, settings, folder / "documents")
        ticks = _tick_seconds(settings)
    finally:
        catalog.close()
    figures += [
        Figure("sensor's look: median", statistics.median(ticks), "s"),
        Figure("sensor's look: longest", max(ticks), "s"),
        Figure("overhead of a run: median", statistics.median(o["overhead"] for o in overheads), "s"),
        Figure("overhead of a run: longest", max(o["overhead"] for o in overheads), "s", Goal("at most", 15)),
    ]
    return Measured(figures, {"sources": SOURCES, "watched_seconds": WATCH_SECONDS, "sensor_looks": len(ticks), "runs": overheads})


def _register_many(catalog: Catalog, folder: Path) -> None:
    """Sources with nothing to do: their last run has succeeded."""
    for number in range(SOURCES):
        id_, schedule = f"source-{number:04}", "7 * * * *" if number % HOURLY_EVERY == 0 else ""
        catalog.sources.register(_files(id_, folder, schedule), by="user:dana")
        catalog.runs.finish(catalog.runs.start(id_, f"run-of-{id_}"), outcome="succeeded")


def _files(id_: str, folder: Path, schedule: str = "") -> SourceSpec:
    return SourceSpec(
        id_, "files", id_, "user:dana", {"root": str(folder)}, (PermissionRule("**", AccessPolicy.of(["everyone"])),), schedule=schedule
    )


def _materialise(settings: Settings) -> None:
    ids = [f"source-{number:04}" for number in range(SOURCES)]
    with dagster_instance(settings) as instance:
        instance.add_dynamic_partitions(SOURCES_NAME, ids)
        for id_, asset in itertools.product(ids, ASSETS):
            instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=id_))


@contextmanager
def _serving(settings: Settings, logs: Path) -> Iterator[psutil.Process]:
    command = [sys.executable, "-m", "pipelines.serve"]
    output, errors = log_files(logs, command)
    with running(command, environment=os.environ | dagster_environment(settings), output=output, errors=errors) as process:
        end = time.monotonic() + START_SECONDS
        while not _answers(settings):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the Dagster UI did not start:\n{tail(errors, output)}")
            time.sleep(0.5)
        yield psutil.Process(process.pid)


def _answers(settings: Settings) -> bool:
    try:
        return bool(_asked(settings, "{ version }"))
    except httpx.HTTPError:
        return False


def _processor_shares(root: psutil.Process) -> list[Figure]:
    """Share of one core over `WATCH_SECONDS`, by processor time: what else the machine does makes no difference to it."""
    before = _processor_seconds(root)
    started = time.monotonic()
    time.sleep(WATCH_SECONDS)
    after, seconds = _processor_seconds(root), time.monotonic() - started
    goals = {"daemon": Goal("at most", 20)}
    shares = {name: 100 * (after[name] - before.get(name, 0.0)) / seconds for name in after}
    return [Figure(f"{name}: of one core", share, "%", goals.get(name)) for name, share in sorted(shares.items())]


def _processor_seconds(root: psutil.Process) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for process in (root, *root.children(recursive=True)):
        try:
            words, times = " ".join(process.cmdline()), process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        name = next((name for mark, name in _PARTS.items() if mark in words), "other")
        seconds[name] = seconds.get(name, 0.0) + times.user + times.system + times.children_user + times.children_system
    return seconds


_PARTS: Mapping[str, str] = {"_daemon": "daemon", "webserver": "web server", "grpc": "code server", "code-server": "code server"}


def _pages(settings: Settings) -> list[Figure]:
    asked = {
        "page of an asset's partitions": lambda: _asked(settings, _PAGE, path=["publication"]),
        "overview of the assets": lambda: _asked(settings, _OVERVIEW),
    }
    return [Figure(f"{name}: median of 5", _median_seconds(ask), "s", Goal("at most", 2)) for name, ask in asked.items()]


def _median_seconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(5):
        started = time.monotonic()
        work()
        taken.append(time.monotonic() - started)
    return statistics.median(taken)


def _asked(settings: Settings, query: str, **variables: object) -> Any:
    address = f"http://127.0.0.1:{settings.dagster_port}/graphql"
    answer = httpx.post(address, json={"query": query, "variables": variables}, timeout=60, trust_env=False)
    found = answer.raise_for_status().json()
    if "errors" in found:
        raise RuntimeError(str(found["errors"])[:500])
    return found["data"]


def _overheads(catalog: Catalog, settings: Settings, folder: Path) -> list[dict[str, object]]:
    """From the request to the finished run, less the time between the run's first and last entry in the ledger: that is its work."""
    (folder / "a.txt").write_text("Offers hold for 30 days.")
    catalog.sources.register(SourceSpec("crm", "push", "Offers", "user:dana"), by="user:dana")
    _finished(catalog, "crm", SystemClock().now())
    principal = Principal("crm", PrincipalKind.APP, sources=frozenset({"crm"}))
    pushing = PushService(settings, catalog.pushed, FsspecBlobs(settings.resolved_blob_url))
    found = []
    for number in range(RUNS):
        asked = {
            "push": ("crm", lambda n=number: pushing.put(principal, "crm", f"{n}.txt", Push(f"Offer {n} holds.".encode(), ["everyone"]))),
            "registration": (f"new-{number}", lambda n=number: catalog.sources.register(_files(f"new-{n}", folder), by="user:dana")),
        }
        for what, (source, ask) in asked.items():
            started = SystemClock().now()
            ask()
            work, whole = _finished(catalog, source, started)
            found.append({"what": what, "work": round(work, 2), "overhead": round(whole - work, 2)})
    return found


def _finished(catalog: Catalog, source: str, since: Any) -> tuple[float, float]:
    """Seconds of work, and in all, of the first run since then that succeeded."""
    end = time.monotonic() + RUN_SECONDS
    while time.monotonic() < end:
        for run in catalog.runs.runs(source, limit=1):
            if run.finished_at is not None and run.outcome == "succeeded" and unstamp(run.started_at) >= since:
                finished = unstamp(run.finished_at)
                return (finished - unstamp(run.started_at)).total_seconds(), (finished - since).total_seconds()
        time.sleep(0.2)
    raise RuntimeError(f"no run of {source} succeeded in {RUN_SECONDS:g} seconds")


def _tick_seconds(settings: Settings) -> Sequence[float]:
    with dagster_instance(settings) as instance:
        [sensor] = [state for state in instance.all_instigator_state() if state.instigator_name == "source_registry"]
        ticks = instance.get_ticks(sensor.instigator_origin_id, sensor.selector_id)
        return [tick.end_timestamp - tick.timestamp for tick in ticks if tick.end_timestamp is not None]


def main() -> int:
    """Returns 0 whether or not the goals were met."""
    machine, started_at, began, load = this_machine(), stamp(SystemClock().now()), time.monotonic(), os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="archivist-automation-") as folder:
        measured = measure(Path(folder))
    seconds = time.monotonic() - began
    part = PartReport(
        "automation", measured, this_commit(REPOSITORY), started_at, seconds, load, os.getloadavg(), goals_apply=SOURCES >= 1000
    )
    show(part)
    write(REPORT, machine, [part])
    return 0


if __name__ == "__main__":
    sys.exit(main())
