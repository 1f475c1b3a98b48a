"""Folders and files below a root, as the `files` connector sees them, wherever they are kept."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import quote, unquote_to_bytes

from retrieval.domain.documents import Fetched, Gone, NotModified

Parts = tuple[str, ...]
"""Names from the root down, as the store spells them. No name is empty, `.` or `..`, or has a slash."""


def is_name(name: str) -> bool:
    """Whether this is one name, leading nowhere else."""
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name


def uri_below(prefix: str, parts: Parts) -> str:
    """The URI of a file below a prefix that ends with a slash: names are quoted as the bytes that the file system has."""
    return prefix + quote(os.fsencode("/".join(parts)))


def parts_below(prefix: str, uri: str) -> Parts | None:
    """The inverse of `uri_below`; None for a URI that is not below the prefix."""
    if not uri.startswith(prefix):
        return None
    parts = tuple(os.fsdecode(unquote_to_bytes(name)) for name in uri.removeprefix(prefix).split("/"))
    return parts if all(map(is_name, parts)) else None


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
