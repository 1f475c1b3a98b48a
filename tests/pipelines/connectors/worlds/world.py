"""What the contract suite asks of a place that documents come from: put them there, take them away, make it fail."""

import re
from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from pipelines.connectors.plugin import Plugin
from pipelines.connectors.port import Connector
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.sources import PermissionRule, SourceSpec
from retrieval.settings import Settings

HOSTILE = ("a b", "ünï", "a%2Fb", "%2e%2e", "-rf", "$(id)", "a'b\"c", "x&y=z", "emoji😀", "semi;colon", "percent%", "[glob]")
"""Names that mean something to a shell, a URL, a database or a pattern."""
EVERYBODY = {"**": ["everyone"]}


class World(ABC):
    """One source, real behind its connector.

    Attributes:
        breaks_after: documents that a listing has given when it breaks; 0 where it is taken at one moment.
        limits: settings of the number of documents and of the bytes of one.
        has_fingerprints: whether a listing tells what may have changed.
    """

    plugin: Plugin
    breaks_after = 1
    limits = ("source_max_files", "source_max_file_bytes")
    has_fingerprints = True

    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        self.folder = folder
        self.settings = Settings(data_directory=folder / "archivist")
        self.connectors: list[Connector] = []
        self.location: dict[str, str | tuple[str, ...]] = {}

    @abstractmethod
    def put(self, name: str, text: str) -> None:
        """Make a document, or change it. Names in the listing are ordered as they are here, for letters."""

    @abstractmethod
    def remove(self, name: str) -> None: ...

    @abstractmethod
    def break_off(self) -> None:
        """From now on a listing breaks, after `breaks_after` documents at the latest."""

    @abstractmethod
    def mend(self) -> None: ...

    def close(self) -> None:  # noqa: B027 - most places go with their folder
        """Give back what is held beside the folder."""

    @abstractmethod
    def key(self, name: str) -> str: ...

    def takes(self, name: str) -> bool:
        """Whether the place can hold a document of that name at all."""
        return True

    def connect(self, readers: dict[str, list[str]] | None = None, **settings: object) -> Connector:
        """A connector made anew, as another process would. `readers`: of names of documents, or of patterns."""
        allowed = EVERYBODY if readers is None else readers
        rules = tuple(
            PermissionRule(name if "*" in name else re.sub(r"([*?[])", r"[\1]", self.key(name)), AccessPolicy.of(subjects))
            for name, subjects in allowed.items()
        )
        spec = SourceSpec("test-source", self.plugin.kind.name, "Test", "user:dana", location=self.location, rules=rules)
        self.connectors.append(self.plugin.open(spec, self.settings.model_copy(update=settings)))
        return self.connectors[-1]
