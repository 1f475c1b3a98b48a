"""Running a build in a subprocess, because optimising stops every thread of the process it runs in."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.adapters.qdrant.building import EXACT_MILLISECONDS, read_progress
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.generations import BUILD_LOG, BuildProgress
from retrieval.domain.errors import IndexUnavailable

POLL_SECONDS = 0.2
_LAST_CHARACTERS = 2_000


@dataclass(frozen=True)
class SubprocessBuilder:
    """Starts `python -m retrieval.indexing.build`.

    Attributes:
        environment: the child's environment, which holds the settings; None: this process's.
        feed: where the child gets its ChangeFeed, e.g. `retrieval.bootstrap:change_feed`.
        seconds: longest time for a build.
        exact_milliseconds: longest time that comparing every passage which somebody reads may take; the build measures how many that is.
    """

    identity: IndexIdentity
    feed: str = "retrieval.bootstrap:change_feed"
    environment: Mapping[str, str] | None = None
    seconds: float = 6 * 3600.0
    exact_milliseconds: float = EXACT_MILLISECONDS

    def build(self, directory: Path, *, on_progress: Callable[[BuildProgress], None], stopping: Callable[[], bool]) -> None:
        """Returns when the generation in `directory` is finished.

        Raises:
            IndexUnavailable: the child failed, took too long or was stopped.
        """
        log = directory / BUILD_LOG
        with log.open("w", encoding="utf-8") as output, self._start(directory, output.fileno()) as child:
            try:
                self._wait(child, directory, on_progress, stopping)
            finally:
                child.kill()
        if child.returncode != 0:
            raise IndexUnavailable(f"building the index failed ({child.returncode}): {_tail(log)}", retry_after_seconds=30)

    def of(self, identity: IndexIdentity) -> "SubprocessBuilder":
        """The same for an index that holds this."""
        return replace(self, identity=identity)

    def _wait(
        self, child: subprocess.Popen[bytes], directory: Path, on_progress: Callable[[BuildProgress], None], stopping: Callable[[], bool]
    ) -> None:
        for _ in range(int(self.seconds / POLL_SECONDS)):
            try:
                child.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                on_progress(read_progress(directory))
                if stopping():
                    raise IndexUnavailable("building the index was stopped") from None
            else:
                return
        raise IndexUnavailable(f"building the index took longer than {self.seconds:.0f} seconds")

    def _start(self, directory: Path, output: int) -> subprocess.Popen[bytes]:
        """The child reads its end of a pipe: when this process dies, however it dies, the child sees it and ends."""
        command = self._command(directory)
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, env=self.environment)  # noqa: S603 - our own module

    def _command(self, directory: Path) -> Sequence[str]:
        return [
            sys.executable,
            "-m",
            "retrieval.indexing.build",
            f"--directory={directory}",
            f"--feed={self.feed}",
            f"--model={self.identity.model}",
            f"--dimensions={self.identity.dimensions}",
            f"--exact-milliseconds={self.exact_milliseconds}",
            *(argument for model, dimensions in self.identity.beside for argument in ("--beside", model, str(dimensions))),
        ]


@dataclass(frozen=True)
class WantedBuilder:
    """Builds what is wanted at the time: `make` is asked at each build."""

    make: Callable[[], SubprocessBuilder]

    def build(self, directory: Path, *, on_progress: Callable[[BuildProgress], None], stopping: Callable[[], bool]) -> None:
        self.make().build(directory, on_progress=on_progress, stopping=stopping)


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-_LAST_CHARACTERS:].strip() or "no output"
