"""The fork server: a small process that has the libraries loaded and forks one child per document.

It never looks at a document. It forks, watches the clock, ends what is overdue together with every program that the document's
process started, and says how it ended. One connection is one document: closing it ends that document's process. The server ends
when its parent does.

Run as `python -m pipelines.parsing.server light|heavy <listening socket> <limits as JSON>`.
"""

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pipelines.parsing import child, isolation
from pipelines.parsing.limits import Limits
from pipelines.parsing.request import Ending, Request

_LOOK_ROUND_SECONDS = 1.0
"""Longest time between two looks at whether the parent still lives."""
_REQUEST_SECONDS = 5.0


@dataclass
class _Job:
    """One document under way."""

    connection: socket.socket
    pid: int
    alive: int
    """Read end of a pipe that only the child holds open: it ends when the child does."""
    deadline: float
    timed_out: bool = False


class ForkServer:
    """Serves requests from one listening socket until its parent is gone."""

    def __init__(self, listener: socket.socket, limits: Limits) -> None:
        self._listener = listener
        self._limits = limits
        self._parent, self._pid = os.getppid(), os.getpid()
        self._jobs: dict[int, _Job] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self._selector.register(0, selectors.EVENT_READ, self._stop)
        self._stopping = False

    def serve(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(self._patience()):
                act: Callable[[], None] = key.data
                act()
            self._end_overdue()
            if os.getppid() != self._parent:
                self._stop()
        for job in list(self._jobs.values()):
            self._end(job)

    def _patience(self) -> float:
        now = time.monotonic()
        return max(0.0, min([_LOOK_ROUND_SECONDS, *(job.deadline - now for job in self._jobs.values())]))

    def _stop(self) -> None:
        """Standard input has ended, so the parent closed us or is gone."""
        self._stopping = True

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(_REQUEST_SECONDS)
        try:
            with connection.makefile("r", encoding="utf-8") as lines:
                request = Request.from_json(lines.readline())
        except (OSError, ValueError, TypeError):
            connection.close()
            return
        self._start(connection, request)

    def _start(self, connection: socket.socket, request: Request) -> None:
        alive, held_by_child = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become_child(connection, alive, request)
        os.close(held_by_child)
        job = _Job(connection, pid, alive, time.monotonic() + self._limits.wall_seconds)
        self._jobs[pid] = job
        self._selector.register(alive, selectors.EVENT_READ, lambda: self._end(job))
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._end(job))

    def _become_child(self, connection: socket.socket, alive: int, request: Request) -> NoReturn:
        """Let go of everything that is not this document's, then read it."""
        try:
            os.setsid()
            isolation.die_with_parent(self._pid)
            self._selector.close()
            self._listener.close()
            connection.close()
            os.close(alive)
            for other in self._jobs.values():
                other.connection.close()
                os.close(other.alive)
            child.run(request, self._limits)
        finally:
            os._exit(0)

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for job in [job for job in self._jobs.values() if job.deadline <= now]:
            job.timed_out = True
            self._end(job)

    def _end(self, job: _Job) -> None:
        """Kill what is left of the job, programs it started included, and say how it ended. The pid is ours until it is waited for."""
        if self._jobs.pop(job.pid, None) is None:
            return
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(job.pid, signal.SIGKILL)
        _, status = os.waitpid(job.pid, 0)
        with contextlib.suppress(ChildProcessError):
            while True:  # the programs it started, which are ours now
                os.waitpid(-job.pid, 0)
        self._selector.unregister(job.alive)
        self._selector.unregister(job.connection)
        os.close(job.alive)
        ending = Ending(exit_code=os.waitstatus_to_exitcode(status), timed_out=job.timed_out)
        with contextlib.suppress(OSError), job.connection:
            job.connection.sendall(ending.to_json().encode() + b"\n")


def _silence() -> None:
    """Parsing libraries print. Nobody reads it, and it may hold document text."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def main(weight: str, listening: int, limits: Limits) -> None:
    network_cut = isolation.cut_network()
    isolation.forbid_new_privileges()
    isolation.adopt_orphans()
    child.preload(heavy=weight == "heavy")
    gc.collect()
    gc.freeze()  # children then do not copy these pages merely by collecting garbage
    listener = socket.socket(fileno=listening)
    with open(1, "w", encoding="utf-8", closefd=False) as out:
        out.write(json.dumps({"network_cut": network_cut}) + "\n")
    _silence()
    ForkServer(listener, limits).serve()


def start() -> None:
    """The program: settle the libraries' ways before any is imported, then serve as the arguments say."""
    os.environ.update(  # noqa: TID251  vendors' variables, for this process only: no telemetry, no notices, no model hub, one thread each
        DO_NOT_TRACK="1",
        SCARF_NO_ANALYTICS="1",
        UNSTRUCTURED_DISABLE_NOTICE="1",
        HF_HUB_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        OMP_NUM_THREADS="1",
        OMP_THREAD_LIMIT="1",
        OPENBLAS_NUM_THREADS="1",
        NUMBA_CACHE_DIR=str(Path.cwd() / "numba"),
    )
    main(sys.argv[1], int(sys.argv[2]), Limits.from_json(sys.argv[3]))


if __name__ == "__main__":
    start()
