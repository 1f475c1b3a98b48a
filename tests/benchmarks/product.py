"""Archivist as its users run it: its commands as processes, settings by environment, a data directory of its own."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
from sqlalchemy import func, select

from pipelines.home import dagster_instance
from retrieval.adapters.catalog.tables import access_classes
from retrieval.bootstrap import Catalog, open_catalog
from retrieval.domain.clock import unstamp
from retrieval.domain.keys import member
from retrieval.domain.permissions import AccessScope, PrincipalKind
from retrieval.settings import Settings
from tests.benchmarks.corpus import GROUPS, groups
from tests.benchmarks.processes import ChildError, Ended, finished, log_files, running, tail
from tests.ports import free_port

READER = "reader"
UNREAD_GROUPS = 2
"""The reader is in all groups but these; half of them would make another reader."""
STAGES = ("source_listing", "documents", "passages", "embeddings", "publication", "knowledge_graph", "passage_index")
REGISTER_SECONDS = 300
SYNC_SECONDS = 3 * 3600
KEY_SECONDS = 120
START_SECONDS = 900
"""Until the API can answer; a first start builds the index."""
SETTLE_SECONDS = 900
CALL_SECONDS = 30


@dataclass(frozen=True)
class SyncRun:
    """One run as the ledger has it. Times are seconds since 1970."""

    source: str
    started: float
    finished: float
    counts: dict[str, int]

    @property
    def seconds(self) -> float:
        return self.finished - self.started


class Product:
    """One installation below `directory`."""

    def __init__(self, directory: Path) -> None:
        self.settings = Settings(data_directory=directory / "archivist", port=free_port(), dagster_port=free_port(), log_level="WARNING")
        self.environment = self.settings.as_environment()
        self.logs = directory / "logs"

    def run(self, *arguments: str, seconds: float) -> Ended:
        """`python` with these arguments, to its end. Raises ChildError."""
        return finished([sys.executable, *arguments], environment=self.environment, seconds=seconds, logs=self.logs)

    def register(self, file: Path) -> None:
        self.run("-m", "pipelines.register", str(file), seconds=REGISTER_SECONDS)

    def sync(self, *sources: str) -> tuple[list[SyncRun], Ended]:
        """Bring the sources up to date. Returns their runs and the whole command's time."""
        ended = self.run("-m", "pipelines.sync", "--json", *sources, seconds=SYNC_SECONDS)
        return sync_runs(ended.output), ended

    def make_key(self, user: str, member_of: Sequence[str]) -> str:
        options = [word for group in member_of for word in ("--group", group)]
        ended = self.run("-m", "api.cli.main", "keys", "create", "--user", user, "--json", *options, seconds=KEY_SECONDS)
        return str(json.loads(ended.output)["key"])

    def make_reader_key(self) -> str:
        """For somebody who may read nearly everything."""
        return self.make_key(READER, groups()[: GROUPS - UNREAD_GROUPS])

    def stage_seconds(self) -> dict[str, float]:
        """How long each stage of the latest run took, as it told Dagster."""
        with dagster_instance(self.settings) as instance:
            events = {stage: instance.get_latest_materialization_event(dg.AssetKey(stage)) for stage in STAGES}
        made = {stage: event.asset_materialization for stage, event in events.items() if event is not None}
        return {stage: float(str(each.metadata["seconds"].value)) for stage, each in made.items() if each is not None}

    @contextmanager
    def catalog(self) -> Iterator[Catalog]:
        opened = open_catalog(self.settings)
        try:
            yield opened
        finally:
            opened.close()

    def passages(self) -> int:
        """Current passages, whoever may read them."""
        with self.catalog() as catalog, catalog.database.read() as connection:
            return int(connection.scalar(select(func.sum(access_classes.c.passages))) or 0)

    def scope(self, user: str) -> AccessScope:
        with self.catalog() as catalog:
            return catalog.gate.scope(member(user, kind=PrincipalKind.USER))

    @contextmanager
    def serving(self) -> Iterator["Api"]:
        """The API as a process, ready and at rest: its index is built and its follower has nothing to do."""
        command = [sys.executable, "-m", "api.cli.main", "serve"]
        output, errors = log_files(self.logs, command)
        started = time.monotonic()
        with running(command, environment=self.environment, output=output, errors=errors) as process:
            api = Api(self, process.pid, f"http://{self.settings.host}:{self.settings.port}")
            while not api.is_ready():
                if process.poll() is not None:
                    raise ChildError(f"the API ended with {process.returncode}:\n{tail(errors, output)}")
                if time.monotonic() - started > START_SECONDS:
                    raise ChildError(f"the API was not ready within {START_SECONDS} seconds:\n{tail(errors, output)}")
                time.sleep(0.1)
            api.settle()
            yield api


@dataclass(frozen=True)
class Api:
    """The API while it serves."""

    product: Product
    pid: int
    url: str

    def client(self, key: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=CALL_SECONDS, trust_env=False)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def settle(self) -> None:
        """Wait until the follower shows the catalog's revision, no index is being built and the process computes nothing."""
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            before = self._processor_seconds()
            time.sleep(1.0)
            if self._is_caught_up() and not self._children() and self._processor_seconds() - before < 0.1:
                return
        raise ChildError(f"the API did not come to rest within {SETTLE_SECONDS} seconds")

    def generation(self) -> int:
        """Of the index that serves; a rebuild makes the next one."""
        with self.product.catalog() as catalog:
            return max((follower.generation for follower in catalog.index_state.followers()), default=0)

    def memory_mib(self) -> dict[str, float]:
        """Resident now and at most so far, and what of it is private memory and mapped files."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        kib = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines) if value.endswith("kB")}
        names = {"resident": "VmRSS", "peak": "VmHWM", "anonymous": "RssAnon", "files": "RssFile"}
        return {name: round(kib[field] / 1024, 1) for name, field in names.items()}

    def _is_caught_up(self) -> bool:
        with self.product.catalog() as catalog:
            revision = catalog.revision()
            return any(
                f.process == self.pid and f.applied_revision >= revision and f.state == "ready" for f in catalog.index_state.followers()
            )

    def _children(self) -> bool:
        return any(file.read_text().strip() for file in Path(f"/proc/{self.pid}/task").glob("*/children"))

    def _processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100  # user and system time in ticks of 10 ms


def sync_runs(printed: str) -> list[SyncRun]:
    """The runs that `pipelines.sync --json` printed."""
    found: list[dict[str, Any]] = json.loads(printed)
    return [SyncRun(r["source"], unstamp(r["started_at"]).timestamp(), unstamp(r["finished_at"]).timestamp(), r["counts"]) for r in found]
