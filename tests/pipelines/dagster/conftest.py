"""A source of real files, a real catalog, Dagster in memory, and an embedder that needs no weights."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from pipelines.definitions import definitions_over
from pipelines.resources import Workbench
from retrieval.bootstrap import Catalog, Ingestion, open_ingestion
from retrieval.domain.ingestion import RunProgress
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.sources import PermissionRule, SourceSpec
from retrieval.ports.models import Vectors
from retrieval.settings import Settings
from tests.templates import lay_out

DIMENSIONS = 8


class FakeEmbedder:
    """A vector from a text's hash, and a memory of what was embedded. `journal` keeps that memory across processes."""

    model = "fake@1"
    dimensions = DIMENSIONS
    max_tokens = 256

    def __init__(self, journal: Path | None = None) -> None:
        self.embedded: list[str] = []
        self._journal = journal

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        if self._journal is not None:
            with self._journal.open("a") as journal:
                journal.writelines(f"{hashlib.sha256(text.encode()).hexdigest()}\n" for text in texts)
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        drawn = np.random.default_rng(list(hashlib.sha256(text.encode()).digest())).standard_normal(DIMENSIONS).astype(np.float32)
        return drawn / np.linalg.norm(drawn)


def workbench_with(settings: Settings, embedder: FakeEmbedder) -> Workbench:
    @contextmanager
    def opening(settings: Settings) -> Iterator[Ingestion]:
        with open_ingestion(settings) as real:
            yield Ingestion(real.settings, real.catalog, real.blobs, lambda _settings: embedder)

    return Workbench(settings, opening=opening)


@dataclass
class Plant:
    """The whole pipeline over one data directory."""

    settings: Settings
    root: Path
    embedder: FakeEmbedder
    workbench: Workbench
    instance: dg.DagsterInstance
    definitions: dg.Definitions = field(init=False)

    def __post_init__(self) -> None:
        self.definitions = definitions_over(self.workbench)

    @property
    def catalog(self) -> Catalog:
        return self.workbench.catalog

    def write(self, key: str, text: str) -> Path:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def register(self, *rules: PermissionRule, id_: str = "handbook", schedule: str = "") -> int:
        spec = SourceSpec(
            id_,
            "files",
            "The handbook",
            "user:dana",
            {"root": str(self.root)},
            rules or (allow("**", "everyone"),),
            schedule=schedule,
        )
        return self.catalog.sources.register(spec, by="user:dana")

    def register_folder(self, id_: str, folder: Path, *rules: PermissionRule) -> int:
        """Another source, or this one anew, over any folder."""
        return self.catalog.sources.register(SourceSpec(id_, "files", id_, "user:dana", {"root": str(folder)}, rules), by="user:dana")

    def ingest(self, source: str = "handbook", **options: object) -> dg.ExecuteInProcessResult:
        self.instance.add_dynamic_partitions("sources", [source])
        job = self.definitions.resolve_job_def("ingest_source")
        return job.execute_in_process(instance=self.instance, partition_key=source, raise_on_error=False, **options)

    def last_run(self, source: str = "handbook") -> RunProgress:
        return self.catalog.runs.runs(source, limit=1)[0]

    def current(self, source: str = "handbook") -> dict[str, str]:
        """Key to content hash of what readers can see."""
        query = (
            "SELECT d.key, v.content_hash FROM documents d JOIN document_versions v ON v.id = d.current_version "
            f"WHERE d.source = '{source}' AND v.state = 'current'"
        )
        with self.catalog.database.read() as connection:
            return {row[0]: row[1] for row in connection.exec_driver_sql(query)}


def allow(glob: str, *subjects: str) -> PermissionRule:
    return PermissionRule(glob, AccessPolicy.of(subjects))


def metadata_of(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    """What an asset of this run shows: plain values, and lists of rows."""
    [event] = result.asset_materializations_for_node(asset)
    return {
        name: [row.data for row in value.records] if isinstance(value, dg.TableMetadataValue) else value.value
        for name, value in event.metadata.items()
    }


def touch_later(path: Path) -> None:
    """Make a file look changed even where the file system's clock is coarse."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


@pytest.fixture
def make_plant(tmp_path: Path) -> Iterator[Callable[..., Plant]]:
    with _plants() as make:
        yield partial(make, tmp_path)


@pytest.fixture(scope="module")
def make_world() -> Iterator[Callable[..., Plant]]:
    """A plant below a given folder, for all tests of a module."""
    with _plants() as make:
        yield make


@contextmanager
def _plants() -> Iterator[Callable[..., Plant]]:
    opened: list[Plant] = []

    def make(folder: Path, **settings: object) -> Plant:
        chosen = {"data_directory": folder / "archivist", "source_attempts": 2, "source_retry_seconds": 1, "index_wait_seconds": 0.2}
        made = Settings(**(chosen | settings))
        lay_out(made.data_directory / "catalog.db")
        embedder = FakeEmbedder()
        root = folder / "documents"
        root.mkdir(exist_ok=True)
        instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})
        opened.append(Plant(made, root, embedder, workbench_with(made, embedder), instance))
        return opened[-1]

    yield make
    for plant in opened:
        plant.workbench.close()
        plant.instance.dispose()


@pytest.fixture
def plant(make_plant: Callable[..., Plant]) -> Plant:
    return make_plant()
