"""An mbox file: messages one after the other, each after a line that starts with `From `. It is read once for each listing.

Of the dialects that differ in what they write for a text line that starts so, `>From ` and `>>From ` are undone (mboxrd).
"""

import hashlib
import os
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipelines.connectors.mail.messages import MAX_HEADER_BYTES, Envelope, Listed
from pipelines.connectors.port import FileRefused
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode
from retrieval.domain.errors import SourceUnavailable

_MAX_LINE_BYTES = 64 * 1024
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_State = tuple[int, int, int]


@dataclass(frozen=True)
class _Place:
    """Where a message stands, without its `From ` line and the empty lines after it."""

    start: int
    end: int
    digest: str
    envelope: Envelope


class Mbox:
    """One mbox file."""

    def __init__(self, path: Path, *, max_messages: int) -> None:
        self._path = path
        self._max_messages = max_messages
        self._lock = threading.Lock()
        self._scanned: tuple[_State, dict[str, _Place]] | None = None

    def messages(self) -> Iterator[Listed]:
        for place in self._index().values():
            yield Listed((), place.envelope, f"{self._path.as_uri()}#{place.digest}", place.digest, place.end - place.start)

    def fetch(self, uri: str, *, known: str | None, max_bytes: int) -> Fetched | NotModified | Gone:
        mailbox, _, digest = uri.rpartition("#")
        if mailbox != self._path.as_uri():
            raise FileRefused("the message is not one of the mailbox's")
        place = self._index().get(digest)
        if place is None:
            return Gone()
        if known == place.digest:
            return NotModified()
        if place.end - place.start > max_bytes:
            raise FileRefused(f"larger than the limit of {max_bytes} bytes", code=QuarantineCode.TOO_LARGE)
        with self._opened() as file:
            file.seek(place.start)
            content = file.read(place.end - place.start)
        if _hash(content).hexdigest() != place.digest:
            raise FileRefused("the mailbox is being written to; the message is read when that has ended", retryable=True)
        return Fetched(_ESCAPED.sub(rb"\1", content), validator=place.digest, media_type="message/rfc822")

    def close(self) -> None:
        """Nothing to do: no file stays open."""

    def _index(self) -> dict[str, _Place]:
        """Each message by the digest of its bytes. The same bytes twice are one message."""
        with self._lock, self._opened() as file:
            state = _state(file)
            if self._scanned is None or self._scanned[0] != state:
                index: dict[str, _Place] = {}
                for place in _scan(file):
                    index.setdefault(place.digest, place)
                    if len(index) > self._max_messages:
                        raise SourceUnavailable(f"the mailbox has more than {self._max_messages} messages; raise source_max_files")
                if _state(file) != state:
                    raise SourceUnavailable("the mailbox is being written to; it is read when that has ended")
                self._scanned = state, index
            return self._scanned[1]

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        try:
            with os.fdopen(os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise SourceUnavailable("the mailbox is not a regular file")
                yield file
        except FileNotFoundError as error:
            raise SourceUnavailable("the mailbox is not there") from error
        except OSError as error:
            raise SourceUnavailable(f"the mailbox cannot be read: {os.strerror(error.errno or 0)}") from error


def _state(file: BinaryIO) -> _State:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns, status.st_ino


def _hash(content: bytes = b"") -> "hashlib.blake2b":
    return hashlib.blake2b(content, digest_size=16)


class _Message:
    """A message while its lines come."""

    def __init__(self, start: int) -> None:
        self._start = self._end = start
        self._head = bytearray()
        self._in_head = True
        self._hash = _hash()
        self._empty = b""

    def add(self, line: bytes) -> None:
        is_empty = not line.strip(b"\r\n")
        self._in_head = self._in_head and not is_empty and len(self._head) < MAX_HEADER_BYTES
        if self._in_head:
            self._head += line
        if is_empty and len(self._empty) < _MAX_LINE_BYTES:
            self._empty += line  # it may be the empty lines before the next message
            return
        self._hash.update(self._empty + line)
        self._end += len(self._empty) + len(line)
        self._empty = b""

    def ended(self) -> _Place:
        return _Place(self._start, self._end, self._hash.hexdigest(), Envelope.of(bytes(self._head)))


def _scan(file: BinaryIO) -> Iterator[_Place]:
    message: _Message | None = None
    position, after_empty = 0, True
    while line := file.readline(_MAX_LINE_BYTES):
        position += len(line)
        if after_empty and line.startswith(b"From "):
            if message is not None:
                yield message.ended()
            message = _Message(position)
        elif message is None:
            raise SourceUnavailable("not an mbox file: it does not start with 'From '")
        else:
            message.add(line)
        after_empty = not line.strip(b"\r\n")
    if message is not None:
        yield message.ended()
