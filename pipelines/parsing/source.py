"""The document that a reading process holds."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.parsing.limits import Limits


@dataclass(frozen=True)
class Source:
    """One document's bytes with its name and limits. `directory` is the process's own, for files that programs need."""

    path: Path
    directory: Path
    name: str
    limits: Limits

    @cached_property
    def content(self) -> bytes:
        return self.path.read_bytes()
