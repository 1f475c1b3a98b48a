"""A fork server as its pool sees it: started when first needed, replaced when it dies, gone after `close()`."""

import json
import select
import socket
import subprocess
import sys
from pathlib import Path
from threading import Lock
from typing import Literal

from pipelines.parsing.limits import Limits

_START_SECONDS = 120
"""The heavy server imports for a few seconds, on a busy machine for many."""
_STOP_SECONDS = 10
_PROGRAM = "pipelines.parsing.server"
_BACKLOG = 64
_ROOT = Path(__file__).resolve().parents[2]
_PATH = ":".join((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"))


class ServerLost(Exception):
    """The server ended, or stopped answering, while it held a document."""


class ParserUnavailable(RuntimeError):
    """No parsing process can be started on this machine; the message holds what it printed."""


class ServerProcess:
    """One `pipelines.parsing.server`. Safe to use from several threads."""

    def __init__(self, weight: Literal["light", "heavy"], limits: Limits, directory: Path) -> None:
        self._weight = weight
        self._limits = limits
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._network_cut = False
        self._lock = Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def network_cut(self) -> bool:
        with self._lock:
            self._ensure()
            return self._network_cut

    def connect(self) -> socket.socket:
        """A connection for one document.

        Raises:
            ParserUnavailable: the server does not start.
            ServerLost: it ended between two breaths, twice.
        """
        server = self._running()
        try:
            return self._connected()
        except OSError:
            self._replace(server)
        try:
            return self._connected()
        except OSError as error:
            raise ServerLost from error

    def _running(self) -> subprocess.Popen[bytes]:
        with self._lock:
            return self._ensure()

    def _replace(self, dying: subprocess.Popen[bytes]) -> None:
        """Start anew in place of a server that refuses connections, unless another thread did."""
        with self._lock:
            if self._process is dying:
                self._end()
            self._ensure()

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self._address))
        except OSError:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """End the server, which ends its documents' processes first."""
        with self._lock:
            self._end()

    @property
    def _address(self) -> Path:
        return self._directory / "socket"

    def _ensure(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = self._start()
        return self._process

    def _start(self) -> subprocess.Popen[bytes]:
        self._directory.mkdir(exist_ok=True)
        self._address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener, (self._directory / "errors").open("wb") as errors:
            listener.bind(str(self._address))
            listener.listen(_BACKLOG)
            process = subprocess.Popen(  # noqa: S603  our own program
                [sys.executable, "-P", "-m", _PROGRAM, self._weight, str(listener.fileno()), self._limits.to_json()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self._directory,
                pass_fds=[listener.fileno()],
                # Nothing else of our environment: documents have no business with our keys.
                env={"PATH": _PATH, "PYTHONPATH": str(_ROOT), "LANG": "C.UTF-8", "HOME": str(self._directory)},
            )
        self._network_cut = bool(json.loads(self._greeting(process))["network_cut"])
        return process

    def _greeting(self, process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
        greeting = process.stdout.readline() if ready else b""
        if not greeting:
            _stop(process)
            said = (self._directory / "errors").read_text(encoding="utf-8", errors="replace")[-2000:]
            raise ParserUnavailable(f"the {self._weight} parsing server did not start: {said}")
        return greeting

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to end by closing its input; insist when it does not."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
