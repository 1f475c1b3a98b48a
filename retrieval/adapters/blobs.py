"""Original bytes, content-addressed, through fsspec: a local folder by default, an object store by URL."""

import contextlib
import os
import uuid
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from retrieval.domain.errors import InvalidInput
from retrieval.domain.ids import content_hash


class FsspecBlobs:
    """`Blobs` under one fsspec URL, as `ab/cd/<hash>`."""

    def __init__(self, url: str) -> None:
        try:
            filesystem, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise InvalidInput.of("ARCHIVIST_BLOB_URL", "no such file system here; object stores need an extra: s3, gs or az") from error
        self._filesystem: Any = filesystem
        self._root: str = root.rstrip("/")

    def put(self, content: bytes, *, durable: bool = False) -> str:
        hash_ = content_hash(content)
        path = self._path(hash_)
        if not self._filesystem.exists(path):
            self._write(path, content)
        if durable and isinstance(self._filesystem, LocalFileSystem):
            _flush(Path(path), levels=4)
        return hash_

    def _write(self, path: str, content: bytes) -> None:
        self._filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        part = f"{path}.{uuid.uuid4().hex}.part"  # written whole under another name, so that a crash leaves no half blob
        try:
            self._filesystem.pipe_file(part, content)
            self._filesystem.mv(part, path)
        except OSError:
            with contextlib.suppress(OSError):
                self._filesystem.rm_file(part)
            raise

    def get(self, hash_: str) -> bytes:
        try:
            content = bytes(self._filesystem.cat_file(self._path(hash_)))
        except FileNotFoundError as error:
            raise KeyError(hash_) from error
        if content_hash(content) != hash_:
            raise KeyError(hash_)
        return content

    def remove(self, hash_: str) -> bool:
        try:
            self._filesystem.rm_file(self._path(hash_))
        except FileNotFoundError:
            return False
        return True

    def _path(self, hash_: str) -> str:
        return f"{self._root}/{hash_[:2]}/{hash_[2:4]}/{hash_}"


def _flush(path: Path, *, levels: int) -> None:
    """Have the machine write a file, and the folders that name it, to its disk: `levels` of them, the file included."""
    for each in (path, *path.parents)[:levels]:
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
