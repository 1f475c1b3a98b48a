"""A prefix of an object store, through fsspec. There are no links there, and an object is replaced as a whole.

An empty prefix cannot be told from one that is not there: both are a source that cannot be listed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec

import fsspec

from pipelines.connectors.port import FileRefused
from pipelines.connectors.tree import Entry, Folder, Parts, is_name
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode
from retrieval.domain.errors import ArchivistError, SourceUnavailable

_Facts = Mapping[str, object]
"""What a store tells of an object; each store has its own words."""
_ETAGS = ("ETag", "etag")
_STORES = {
    "s3": ("s3fs", "s3"),
    "gs": ("gcsfs", "gs"),
    "gcs": ("gcsfs", "gs"),
    "az": ("adlfs", "az"),
    "abfs": ("adlfs", "az"),
    "memory": ("fsspec", ""),
}
"""Scheme to the library that reads it and the extra that installs that. Others, such as http or sftp, would get around our guards."""
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")


class ObjectTree:
    """The objects below `root`, a URL such as `s3://bucket/prefix`."""

    def __init__(self, root: str) -> None:
        self._uri = root.rstrip("/") if not root.endswith("://") else root.removesuffix("/")
        self._store, path = fsspec.core.url_to_fs(root, skip_instance_cache=True, use_listings_cache=False)
        self._root = str(path).rstrip("/")

    def folder(self, parts: Parts) -> Folder:
        path = self._path(parts)
        with _translated(f"the folder '{'/'.join(parts)}'" if parts else "the source's root"):
            found = self._store.ls(path, detail=True)
        if not parts and [(facts["name"], facts["type"]) for facts in found] == [(path, "file")]:
            raise SourceUnavailable("the source's root is not a folder")
        files: list[Entry] = []
        folders: list[str] = []
        strange: list[str] = []
        for facts in found:
            name = str(facts["name"]).removeprefix(path).removeprefix("/").removesuffix("/")
            if not is_name(name):
                strange += [name] if name else []  # no name: the folder's own marker
            elif facts["type"] == "directory":
                folders.append(name)
            elif facts["type"] == "file":
                files.append(Entry(name, _size(facts), _fingerprint(facts), _modified_at(facts)))
            else:
                strange.append(name)
        return Folder(files, folders, strange)

    def head(self, parts: Parts, *, max_bytes: int) -> bytes | None:
        try:
            with _translated("the file"):
                size = _size(self._store.info(self._path(parts)))
                return self._read(parts, size, max_bytes)
        except SourceUnavailable:
            return None

    def fetch(self, parts: Parts, *, known: str | None, max_bytes: int) -> Fetched | NotModified | Gone:
        try:
            with _translated("the file"):
                return self._fetched(parts, known=known, max_bytes=max_bytes)
        except _NotThere:
            with _translated("the source's root"):
                self._store.info(self._root)
            return Gone()

    def uri(self, parts: Parts) -> str:
        return f"{self._uri}/{'/'.join(parts)}"

    def parts(self, uri: str) -> Parts | None:
        if not uri.startswith(self._uri + "/"):
            return None
        parts = tuple(uri.removeprefix(self._uri + "/").split("/"))
        return parts if all(map(is_name, parts)) else None

    def close(self) -> None:
        """Nothing to do: the store's client closes with the process."""

    def _path(self, parts: Parts) -> str:
        return "/".join((self._root, *parts))

    def _fetched(self, parts: Parts, *, known: str | None, max_bytes: int) -> Fetched | NotModified:
        """The fingerprint is read before the bytes: if it is already old, the next listing differs from it and the file is read again."""
        facts = self._store.info(self._path(parts))
        if facts["type"] != "file":
            raise FileRefused("not a file")
        fingerprint = _fingerprint(facts)
        if known is not None and known == fingerprint:
            return NotModified()
        content = self._read(parts, _size(facts), max_bytes + 1)
        if len(content) > max_bytes:
            raise FileRefused(f"larger than the limit of {max_bytes} bytes", code=QuarantineCode.TOO_LARGE)
        return Fetched(content, validator=fingerprint, modified_at=_modified_at(facts))

    def _read(self, parts: Parts, size: int | None, max_bytes: int) -> bytes:
        if size == 0:
            return b""  # some stores refuse a range of an empty object
        return bytes(self._store.cat_file(self._path(parts), start=0, end=max_bytes))


def store_problem(root: str) -> str | None:
    """What is wrong with a root in a store, in words for the person who wrote it; None for a good one."""
    scheme, _, rest = root.partition("://")
    if scheme not in _STORES or "::" in root:
        return "a local path, or a URL with one of " + ", ".join(f"{name}://" for name in ("file", "s3", "gs", "az"))
    if "@" in rest.split("/", 1)[0] or any(mark in rest for mark in "?#"):
        return "a URL without credentials, '?' and '#'; the store's own settings hold its credentials"
    if not rest.strip("/") or any(name in {"", ".", ".."} for name in rest.strip("/").split("/")):
        return f"a bucket and a folder in it, such as {scheme}://bucket/folder"
    library, extra = _STORES[scheme]
    if find_spec(library) is None:
        return f"{scheme}:// needs the extra '{extra}': pip install 'archivist[{extra}]'"
    return None


class _NotThere(SourceUnavailable):
    """The store knows nothing under that name."""


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Every store's library has errors of its own, most of them OSError and some not: whatever it is, the store did not answer."""
    try:
        yield
    except ArchivistError:
        raise
    except FileNotFoundError as error:
        raise _NotThere(f"{what} is not there, or is empty") from error
    except PermissionError as error:
        raise SourceUnavailable(f"Archivist has no permission to read {what}") from error
    except Exception as error:
        raise SourceUnavailable(f"{what} cannot be read: the store answered {type(error).__name__}") from error


def _size(facts: _Facts) -> int | None:
    size = facts.get("size")
    return size if isinstance(size, int) else None


def _fingerprint(facts: _Facts) -> str | None:
    """The ETag, else the time, with the size; None when the store tells neither."""
    etag = next((str(facts[name]) for name in _ETAGS if facts.get(name)), None)
    changed = _modified_at(facts)
    mark = etag or (changed.isoformat() if changed else None)
    return f"{_size(facts)}-{mark}" if mark else None


def _modified_at(facts: _Facts) -> datetime | None:
    value = next((facts[name] for name in _TIMES if facts.get(name)), None)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
