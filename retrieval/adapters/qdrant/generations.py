"""Generations of the embedded index on disk, and which of them serves.

    <index directory>/owner.lock
                     /CURRENT                          the number of the generation that serves
                     /generations/<number>/meta.json   what it was built as; never changed afterwards
                                          /applied.json  the revision up to which its points are durable
                                          /plan-<vectors>.json  how it is best searched, as measured when it was built
                                          /shard/
                     /generations/build-<token>/       being built; never taken for a generation

A builder writes `meta.json` last, and the owner alone renames a finished build into a generation: a build that dies,
or whose owner has died, leaves only a folder that the next start removes.
"""

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.domain.errors import IndexUnavailable

CURRENT = "CURRENT"
META = "meta.json"
APPLIED = "applied.json"
BUILD_LOG = "build.log"
PROGRESS = "progress.json"
SHARD = "shard"
_BUILD = "build-"


@dataclass(frozen=True)
class GenerationMeta:
    """What a finished build says of itself: the catalog revision it shows, and how many passages it holds."""

    identity: IndexIdentity
    revision: int
    passages: int

    def write(self, directory: Path) -> None:
        write_durably(directory / META, {**self.identity.as_json(), "revision": self.revision, "passages": self.passages})

    @classmethod
    def read(cls, directory: Path, identity: IndexIdentity) -> "GenerationMeta":
        """With all that it holds, led by the model of `identity`. Raises IndexUnavailable, saying why, when it cannot serve under that."""
        raw = read_json(directory / META)
        difference = identity.difference(raw)
        if difference is not None:
            raise IndexUnavailable(f"the index must be built anew: {difference}")
        assert raw is not None
        held = IndexIdentity.of_json(raw).led_by(identity.model)
        return cls(held, revision=int(raw["revision"]), passages=int(raw["passages"]))


@dataclass(frozen=True)
class BuildProgress:
    """Passages a build has written, and how many it expects; 0 when nobody knows."""

    done: int
    expected: int

    def __str__(self) -> str:
        """A share, never a count: whoever waits may not read all that is counted."""
        return f"{min(99, 100 * self.done // self.expected)} % done" if self.expected else "begun"


class Generations:
    """The folders of one index directory. Used by its owner only."""

    def __init__(self, index_directory: Path) -> None:
        self._root = index_directory
        self._folder = index_directory / "generations"

    def current(self) -> Path | None:
        """The folder of the generation that serves; None when there is none."""
        try:
            number = int((self._root / CURRENT).read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None
        directory = self._folder / str(number)
        return directory if directory.is_dir() else None

    def new_build(self) -> Path:
        """A folder for one build."""
        directory = self._folder / f"{_BUILD}{uuid.uuid4().hex}"
        directory.mkdir(parents=True)
        return directory

    def adopt(self, build: Path) -> Path:
        """Make a finished build a generation, which does not serve yet."""
        numbers = [int(path.name) for path in self._folder.iterdir() if path.name.isdecimal()]
        directory = self._folder / str(max(numbers, default=0) + 1)
        build.rename(directory)
        sync_directory(self._folder)
        return directory

    def appoint(self, generation: Path) -> None:
        """Let this generation serve from the next start on: atomic and durable."""
        _write_atomically(self._root / CURRENT, generation.name)

    def discard(self, directory: Path) -> None:
        """Remove a generation or build. Whatever cannot be removed now is removed at the next start."""
        shutil.rmtree(directory, ignore_errors=True)

    def tidy(self) -> None:
        """Remove every folder but the one that serves."""
        current = self.current()
        if self._folder.is_dir():
            for directory in self._folder.iterdir():
                if directory != current:
                    self.discard(directory)


def read_json(path: Path) -> dict[str, Any] | None:
    """None when the file is missing or no JSON object: both mean that what it described must be built anew."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_durably(path: Path, values: Mapping[str, Any]) -> None:
    """The whole file or the old one, and on disk when this returns."""
    _write_atomically(path, json.dumps(values, sort_keys=True))


def sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_atomically(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_directory(path.parent)
