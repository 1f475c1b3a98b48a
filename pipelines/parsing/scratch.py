"""A pool's scratch folder, which holds documents while they are parsed, and the removal of those that killed pools left behind."""

import contextlib
import fcntl
import os
import tempfile
import time
from pathlib import Path
from shutil import rmtree
from typing import IO

_PREFIX = "archivist-parse-"
_LOCK = "in-use"
_BEING_MADE_SECONDS = 60


class Scratch:
    """A folder of one's own under the system's temporary directory. A lock held by the living process says that it is in use.

    The kernel gives the lock back however the process ends, so that the next pool, in whatever container, may remove the folder.
    """

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = (self.path / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _sweep(directory: Path) -> None:
    for folder in directory.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.lstat().st_uid != os.getuid():
                continue
            _remove_if_unused(folder)


def _remove_if_unused(folder: Path) -> None:
    try:
        lock: IO[str] = (folder / _LOCK).open("r+")
    except FileNotFoundError:
        if time.time() - folder.lstat().st_mtime > _BEING_MADE_SECONDS:
            rmtree(folder, ignore_errors=True)
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        rmtree(folder, ignore_errors=True)
