"""Where the benchmarks work, and the main installation with its 20,000 passages, which is kept between runs."""

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.recipe import recipe_of
from retrieval.adapters.catalog import migrations
from retrieval.adapters.models.weights import find_weights
from tests.benchmarks import corpus
from tests.benchmarks.processes import REPOSITORY
from tests.benchmarks.product import READER, Product
from tests.benchmarks.report import console

CACHE = REPOSITORY / ".cache" / "bench"
EVALUATION_DATA = REPOSITORY.parent / "shared" / "data"


class NotThereError(Exception):
    """What a part needs is not on this machine."""


@dataclass(frozen=True)
class World:
    """The benchmarks' folders.

    Attributes:
        small: a few hundred passages, for trying the benchmarks; the goals do not apply.
        fresh: make the main installation anew.
    """

    small: bool = False
    fresh: bool = False

    @property
    def directory(self) -> Path:
        return CACHE / ("small" if self.small else "full")

    @property
    def evaluation_data(self) -> Path:
        """Raises NotThereError."""
        if not EVALUATION_DATA.is_dir():
            raise NotThereError(f"the evaluation data are not in {EVALUATION_DATA}")
        return EVALUATION_DATA

    def count(self, full: int, small: int) -> int:
        return small if self.small else full

    def emptied(self, name: str) -> Path:
        """A folder below `directory` with nothing in it."""
        folder = self.directory / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    @cached_property
    def main(self) -> "MainInstallation":
        """The main installation, made if it is not there yet. Raises NotThereError."""
        made = MainInstallation(self.directory / "main", self.evaluation_data, small=self.small)
        made.make(fresh=self.fresh)
        return made


class MainInstallation:
    """All collections ingested into one data directory. A stamp says what it was made of; anything else is made anew."""

    def __init__(self, directory: Path, evaluation_data: Path, *, small: bool) -> None:
        self.directory = directory
        self._evaluation_data = evaluation_data
        self._small = small
        self._stamp = directory / "stamp.json"

    @cached_property
    def product(self) -> Product:
        return Product(self.directory)

    @property
    def made(self) -> dict[str, Any]:
        """How it was ingested: seconds and counts of each source's run."""
        return dict(self._stamped()["ingested"])

    def folder(self, source: str) -> Path:
        return self.directory / "sources" / source

    def documents(self, source: str) -> list[Path]:
        return sorted(file for file in self.folder(source).rglob("*") if file.is_file())

    def describe(self) -> dict[str, Any]:
        """What was asked of: for the details of a part."""
        scope = self.product.scope(READER)
        return {
            "passages": self.product.passages(),
            "readable to the reader": scope.readable_passages,
            "access classes readable": len(scope.classes),
            "access classes": corpus.GROUPS,
        }

    def make(self, *, fresh: bool) -> None:
        """Write the documents and ingest them. What a former attempt left half done is continued."""
        made_of = self._made_of()
        stamped = self._stamped()
        if fresh or stamped.get("made_of") != made_of:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory.mkdir(parents=True)
            self._write_documents()
            stamped = {"made_of": made_of, "ingested": {}}
            self._stamp.write_text(json.dumps(stamped))
        registration = self.directory / "sources.yaml"
        roots = {collection.source: self.folder(collection.source) for collection in corpus.COLLECTIONS}
        if set(roots) <= set(stamped["ingested"]):
            return
        corpus.write_registration(registration, roots)
        self.product.register(registration)
        for source in (source for source in roots if source not in stamped["ingested"]):
            console().print(f"ingesting {source}: {len(self.documents(source))} documents")
            began = time.monotonic()
            runs, _ = self.product.sync(source)
            stamped["ingested"][source] = {"seconds": round(time.monotonic() - began, 1), **runs[0].counts}
            self._stamp.write_text(json.dumps(stamped, indent=2))

    def _write_documents(self) -> None:
        for collection in corpus.COLLECTIONS:
            corpus.write_collection(self._evaluation_data, collection, self.folder(collection.source), small=self._small)

    def _stamped(self) -> dict[str, Any]:
        return dict(json.loads(self._stamp.read_text())) if self._stamp.exists() else {}

    def _made_of(self) -> dict[str, str]:
        settings = self.product.settings
        schema = hashlib.blake2b(digest_size=16)
        for file in sorted(Path(migrations.__file__).parent.rglob("*.py")):
            schema.update(file.read_bytes())
        return {
            "documents": corpus.digest(self._evaluation_data),
            "recipe": recipe_of(settings),
            "model": find_weights(settings.embedder_model).id,
            "schema": schema.hexdigest(),
        }
