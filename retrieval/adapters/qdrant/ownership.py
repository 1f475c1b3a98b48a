"""Who owns an index directory: one process at a time, and the next one is told which."""

import fcntl
import json
import os
import socket
from pathlib import Path
from typing import IO

from retrieval.domain.errors import IndexUnavailable

LOCK_NAME = "owner.lock"


class Ownership:
    """Sole use of an index directory until released or the process ends, however it ends: the kernel holds the lock."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    def take(cls, directory: Path) -> "Ownership":
        """Raises IndexUnavailable, naming the owner, when another process (or another owner in this one) holds it."""
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / LOCK_NAME).open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = _owner(file)
            file.close()
            raise IndexUnavailable(
                f"the index in {directory} is owned by {owner}: an embedded index has one reader. "
                "Stop that process, give this one its own ARCHIVIST_DATA_DIRECTORY, "
                "or share one index through a Qdrant server (ARCHIVIST_INDEX_BACKEND=server, ARCHIVIST_QDRANT_URL)",
                retry_after_seconds=30,
            ) from error
        file.truncate(0)
        json.dump({"pid": os.getpid(), "host": socket.gethostname()}, file)
        file.flush()
        return cls(file)

    def release(self) -> None:
        self._file.close()


def _owner(file: IO[str]) -> str:
    file.seek(0)
    try:
        owner = json.load(file)
        return f"process {int(owner['pid'])} on {owner['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
