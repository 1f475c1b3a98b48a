"""A local folder, read so that nothing outside it can ever be reached.

Each name is opened relative to its parent's descriptor and without following symbolic links, so a path that changes under our hands
leads to an error, never elsewhere. Only regular files are opened, and what was opened is checked again.
The root itself may be a symbolic link: the source's owner names it. Hard links and bind mounts are part of the tree they stand in.
"""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from pipelines.connectors.port import FileRefused
from pipelines.connectors.tree import Entry, Folder, Parts, parts_below, uri_below
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode
from retrieval.domain.errors import SourceUnavailable

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BELOW = _FOLDER | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_READ_BYTES = 1024 * 1024
_READ_ATTEMPTS = 3
SETTLE_SECONDS = 0.5
"""A file is read when its last change is at least this old. File systems tell time in ticks of up to 10 ms: of two changes within one tick,
the second leaves no trace."""
_SWAPPED = frozenset({errno.ELOOP, errno.ENOTDIR, errno.ENXIO})
"""What opening a symbolic link, a file in a folder's place or a socket answers."""


class LocalTree:
    """The folder `root` of this machine."""

    def __init__(self, root: Path, *, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._root = root
        self._settle_seconds = settle_seconds
        self._prefix = _file_uri(root).rstrip("/") + "/"

    def folder(self, parts: Parts) -> Folder:
        files: list[Entry] = []
        folders: list[str] = []
        strange: list[str] = []
        with self._whole_source(parts), self._opened(parts) as descriptor, os.scandir(descriptor) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_file(follow_symlinks=False):
                    files += _entry(entry)
                else:
                    strange.append(entry.name)
        return Folder(files, folders, strange)

    def head(self, parts: Parts, *, max_bytes: int) -> bytes | None:
        try:
            with self._opened(parts[:-1]) as folder, _regular_file(parts[-1], folder) as descriptor:
                return _read(descriptor, max_bytes)
        except (OSError, FileRefused):
            return None

    def fetch(self, parts: Parts, *, known: str | None, max_bytes: int) -> Fetched | NotModified | Gone:
        with self._whole_source(()), self._opened(()):
            pass  # a root that is away says nothing of the files below it
        try:
            with self._opened(parts[:-1]) as folder, _regular_file(parts[-1], folder) as descriptor:
                return self._fetched(descriptor, known=known, max_bytes=max_bytes)
        except FileNotFoundError:
            return Gone()
        except PermissionError as error:
            raise FileRefused("Archivist has no permission to read this file or a folder above it", retryable=True) from error
        except OSError as error:
            if error.errno in _SWAPPED:
                raise FileRefused("the file, or a folder above it, is a symbolic link or not a regular file") from error
            raise SourceUnavailable(f"the file cannot be read now: {os.strerror(error.errno or 0)}") from error

    def uri(self, parts: Parts) -> str:
        return uri_below(self._prefix, parts)

    def parts(self, uri: str) -> Parts | None:
        return parts_below(self._prefix, uri)

    def close(self) -> None:
        """Nothing to do: no descriptor outlives a call."""

    def _fetched(self, descriptor: int, *, known: str | None, max_bytes: int) -> Fetched | NotModified:
        """The bytes as they were at one moment: a file that is written to meanwhile is read again."""
        for _ in range(_READ_ATTEMPTS):
            before = os.fstat(descriptor)
            if known is not None and known == _fingerprint(before):
                return NotModified()
            self._let_settle(before)
            os.lseek(descriptor, 0, os.SEEK_SET)
            content = _read(descriptor, max_bytes + 1)
            if len(content) > max_bytes:
                raise FileRefused(f"larger than the limit of {max_bytes} bytes", code=QuarantineCode.TOO_LARGE)
            after = os.fstat(descriptor)
            if (_fingerprint(after), after.st_ctime_ns) == (_fingerprint(before), before.st_ctime_ns):
                return Fetched(content, validator=_fingerprint(before), modified_at=_modified_at(before))
        raise FileRefused("the file is being written to; it is read when that has ended", retryable=True)

    def _let_settle(self, status: os.stat_result) -> None:
        age_seconds = time.time() - status.st_ctime
        if 0 <= age_seconds < self._settle_seconds:
            time.sleep(self._settle_seconds - age_seconds)

    @contextmanager
    def _opened(self, parts: Parts) -> Iterator[int]:
        """A descriptor of one folder, reached name by name from the root."""
        descriptor = os.open(self._root, _FOLDER)
        try:
            for name in parts:
                above, descriptor = descriptor, os.open(name, _BELOW, dir_fd=descriptor)
                os.close(above)
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _whole_source(self, parts: Parts) -> Iterator[None]:
        """An unreadable folder makes the whole listing unavailable: its documents must not look removed."""
        where = f"the folder '{'/'.join(parts)}'" if parts else "the source's root"
        try:
            yield
        except FileNotFoundError as error:
            raise SourceUnavailable(f"{where} is not there" + (" any more" if parts else "")) from error
        except NotADirectoryError as error:
            raise SourceUnavailable(f"{where} is not a folder") from error
        except PermissionError as error:
            raise SourceUnavailable(f"Archivist has no permission to read {where}") from error
        except OSError as error:
            raise SourceUnavailable(f"{where} cannot be read: {os.strerror(error.errno or 0)}") from error


def _file_uri(path: Path) -> str:
    return "file://" + quote(os.fsencode(path))


def _entry(entry: os.DirEntry[str]) -> list[Entry]:
    """The file's entry, or nothing when it was removed since the folder was read."""
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return []
    return [Entry(entry.name, status.st_size, _fingerprint(status), _modified_at(status))]


def _fingerprint(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}"


def _modified_at(status: os.stat_result) -> datetime | None:
    try:
        return datetime.fromtimestamp(status.st_mtime, UTC)
    except (OverflowError, ValueError, OSError):
        return None


@contextmanager
def _regular_file(name: str, folder: int) -> Iterator[int]:
    """A descriptor of a regular file. Looks before it opens: opening a device can do something."""
    _check_regular(os.stat(name, dir_fd=folder, follow_symlinks=False))
    descriptor = os.open(name, _FILE, dir_fd=folder)
    try:
        _check_regular(os.fstat(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise FileRefused("not a regular file")


def _read(descriptor: int, max_bytes: int) -> bytes:
    chunks = []
    left = max_bytes
    while left > 0 and (chunk := os.read(descriptor, min(left, _READ_BYTES))):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)
