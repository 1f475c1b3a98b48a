"""A background thread that does the same thing again and again, and survives that the catalog or the index is away."""

import threading
from collections.abc import Callable

import structlog

from retrieval.domain.errors import ArchivistError

MAX_PAUSE_SECONDS = 30.0

_log = structlog.get_logger(__name__)


class FollowerThread:
    """Calls `follow` every `pause_seconds`; after a failure twice as long, up to half a minute. Starts once, stops once."""

    def __init__(self, follow: Callable[[], object], *, pause_seconds: float) -> None:
        self._follow = follow
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="index-follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the thread has finished what it was doing."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        pause = self._pause_seconds
        while not self._stopping.is_set():
            try:
                self._follow()
            except ArchivistError as error:
                pause = min(pause * 2, MAX_PAUSE_SECONDS)
                _log.warning("index_follow_failed", reason=str(error), next_attempt_seconds=pause)
            except Exception:  # noqa: BLE001 - a defect must not end the following silently: it is logged whole and tried again
                pause = min(pause * 2, MAX_PAUSE_SECONDS)
                _log.exception("index_follow_broke", next_attempt_seconds=pause)
            else:
                pause = self._pause_seconds
            self._stopping.wait(pause)
