"""Folders and files below a root, as the `files` connector sees them, wherever they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from retrieval.domain.documents import Fetched, Gone, NotModified

Parts = tuple[str, ...]
"""Names from the root down, as the store spells them. No name is empty, `.` or `..`, or has a slash."""


def is_name(name: str) -> bool:
    """Whether this is one name, leading nowhere else."""
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name


@dataclass(frozen=True, slots=True)
class Entry:
    """One regular file of a folder."""

    name: str
    size_bytes: int | None
    fingerprint: str | None
    modified_at: datetime | None


@dataclass(frozen=True)
class Folder:
    """What one folder holds.

    Attributes:
        strange: names of what is neither a file nor a folder: symbolic links, devices, sockets. They are never followed or opened.
    """

    files: Sequence[Entry]
    folders: Sequence[str]
    strange: Sequence[str] = ()


class Tree(Protocol):
    """A root and what is below it. Every method raises SourceUnavailable when the store cannot say."""

    def folder(self, parts: Parts) -> Folder:
        """What is in one folder; the root itself for no parts. A folder that is not there is an error, never empty."""
        ...

    def head(self, parts: Parts, *, max_bytes: int) -> bytes | None:
        """At most `max_bytes` from the start of a file; None when it cannot be read or is not a regular file."""
        ...

    def fetch(self, parts: Parts, *, known: str | None, max_bytes: int) -> Fetched | NotModified | Gone:
        """A whole file; its validator is the fingerprint that its `Entry` has.

        Raises:
            FileRefused: not a regular file, larger than `max_bytes`, or not readable.
        """
        ...

    def uri(self, parts: Parts) -> str:
        """Where a reader finds the file. `parts` is the inverse."""
        ...

    def parts(self, uri: str) -> Parts | None:
        """Names below this root; None for a URI that is not below it."""
        ...

    def close(self) -> None: ...
