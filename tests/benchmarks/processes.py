"""Child processes that are bounded in time and never outlive the benchmark, however it ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
STOP_SECONDS = 20
_PR_SET_PDEATHSIG = 1
_TAIL_CHARACTERS = 2_000


class ChildError(Exception):
    """A process of the product ended with an error or not at all; the message ends with its last lines."""


@dataclass(frozen=True)
class Ended:
    """What a command printed and how long it took."""

    output: str
    seconds: float


@contextmanager
def running(command: Sequence[str], *, environment: Mapping[str, str], output: Path, errors: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command at work in a process group of its own, which is ended with the block."""
    for file in (output, errors):
        file.parent.mkdir(parents=True, exist_ok=True)
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - the benchmark has one thread
        )
    try:
        yield process
    finally:
        _end(process)


def finished(command: Sequence[str], *, environment: Mapping[str, str], seconds: float, logs: Path) -> Ended:
    """Run the command to its end. Its output is kept in `logs` under the name of what ran.

    Raises:
        ChildError: it took longer than `seconds` or ended with an error.
    """
    output, errors = log_files(logs, command)
    started = time.monotonic()
    with running(command, environment=environment, output=output, errors=errors) as process:
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise ChildError(f"{_shown(command)} did not end within {seconds:g} seconds:\n{tail(errors, output)}") from error
        took = time.monotonic() - started
    if code != 0:
        raise ChildError(f"{_shown(command)} ended with {code}:\n{tail(errors, output)}")
    return Ended(output.read_text(encoding="utf-8", errors="replace"), took)


def log_files(logs: Path, command: Sequence[str]) -> tuple[Path, Path]:
    """Where standard output and standard error of a command go."""
    name = "-".join(word.replace("/", "_") for word in command[1:4] if not word.startswith("-"))
    return logs / f"{name}.out", logs / f"{name}.err"


def tail(*files: Path) -> str:
    texts = (file.read_text(encoding="utf-8", errors="replace").strip() for file in files if file.exists())
    return "\n".join(text[-_TAIL_CHARACTERS:] for text in texts if text)


def _shown(command: Sequence[str]) -> str:
    return " ".join(command[1:6])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Politely, then whatever is left of the group."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _end_with_parent() -> None:
    """Also when the benchmark is killed outright. Linux only."""
    library: Any = ctypes.CDLL(None)
    if hasattr(library, "prctl"):
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
