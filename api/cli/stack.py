"""Everything Archivist needs on one machine, as processes that end together: the API and Dagster's UI with its daemon."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import httpx

from retrieval.domain.errors import InvalidInput, Unavailable
from retrieval.settings import Settings

START_SECONDS = 120
STOP_SECONDS = 15
_POLL_SECONDS = 0.1
_PR_SET_PDEATHSIG = 1
_LOG_TAIL_CHARACTERS = 1_500


@dataclass
class _Part:
    name: str
    process: subprocess.Popen[bytes]
    url: str
    log: Path


@dataclass
class Stack:
    """The API and Dagster, started on entering and ended, with all they started, on leaving. Their output goes to log files."""

    settings: Settings
    _parts: list[_Part] = field(default_factory=list)

    def __enter__(self) -> Self:
        settings = self.settings
        _end_in_order()
        _check_free("ARCHIVIST_PORT", settings.host, settings.port)
        _check_free("ARCHIVIST_DAGSTER_PORT", settings.dagster_host, settings.dagster_port)
        try:
            self._start("api", ["-m", "api.cli.main", "serve"], f"{self.api_url}/healthz")
            self._start("dagster", ["-m", "pipelines.serve"], f"{self.dagster_url}/server_info")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    @property
    def api_url(self) -> str:
        return f"http://{self.settings.host}:{self.settings.port}"

    @property
    def dagster_url(self) -> str:
        return f"http://{self.settings.dagster_host}:{self.settings.dagster_port}"

    def wait_until_up(self, name: str) -> None:
        """Until the part answers over HTTP.

        Raises:
            Unavailable: it ended, or did not answer in time; the message ends with its last lines.
        """
        part = next(part for part in self._parts if part.name == name)
        self._wait(part, part.url)

    def wait_until_ready(self) -> None:
        """Until the API can answer questions: its index is built. Raises Unavailable when it does not get there."""
        self._wait(self._parts[0], f"{self.api_url}/readyz")

    def check(self) -> None:
        """Raises Unavailable when a part has ended by itself."""
        for part in self._parts:
            if part.process.poll() is not None:
                raise Unavailable(f"{part.name} ended with {part.process.returncode}; its log {part.log} ends with:\n{_tail(part.log)}")

    def _wait(self, part: _Part, url: str) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            self.check()
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(url, timeout=2, trust_env=False).is_success:
                    return
            time.sleep(_POLL_SECONDS)
        raise Unavailable(f"{part.name} did not answer within {START_SECONDS} seconds; its log {part.log} ends with:\n{_tail(part.log)}")

    def _start(self, name: str, arguments: Sequence[str], url: str) -> None:
        log = self.settings.data_directory / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._parts.append(_Part(name, self._spawn(arguments, output), url, log))

    def _spawn(self, arguments: Sequence[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        """In a session of its own: Ctrl-C reaches only us, and all that the part starts can be ended with it."""
        return subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=self.settings.as_environment(),
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - no other thread runs while the parts are started
        )

    def _stop(self) -> None:
        for part in reversed(self._parts):
            _signal(part, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        for part in reversed(self._parts):
            with contextlib.suppress(subprocess.TimeoutExpired):
                part.process.wait(max(0.1, end - time.monotonic()))
            _signal(part, signal.SIGKILL)
            part.process.wait()
        self._parts.clear()


def _check_free(setting: str, host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidInput.of(setting, f"{host}:{port} cannot be listened on ({error.strerror}): set another port") from error


def _signal(part: _Part, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(part.process.pid, number)


def _end_in_order() -> None:
    """Ctrl-C and SIGTERM leave by way of every `with` block, also where a shell started us in the background with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _end_with_parent() -> None:
    """Also when the parent is killed outright. Linux only; elsewhere a killed parent leaves its parts running."""
    library: Any = ctypes.CDLL(None)
    if hasattr(library, "prctl"):
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL_CHARACTERS:].strip()
