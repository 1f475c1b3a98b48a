"""A thread that signs a checkpoint whenever enough records or enough time have gone by, at its start and at its end."""

import threading
import time

import structlog

from retrieval.adapters.catalog.audit.checkpoints import Checkpoints
from retrieval.domain.errors import ArchivistError

LOOK_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Checkpointing:
    """Starts once, stops once. What keeps it from signing is logged as an error and tried again: reading goes on meanwhile."""

    def __init__(self, checkpoints: Checkpoints, *, records: int, seconds: float, look_seconds: float = LOOK_SECONDS) -> None:
        self._checkpoints = checkpoints
        self._records = records
        self._seconds = seconds
        self._look_seconds = min(look_seconds, seconds)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-checkpoints", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Sign what is left."""
        self._stopping.set()
        self._thread.join()
        self._sign(least_records=1)

    def _run(self) -> None:
        signed_at = time.monotonic()
        self._sign(least_records=1)
        while not self._stopping.wait(self._look_seconds):
            is_time = time.monotonic() - signed_at >= self._seconds
            if self._sign(least_records=1 if is_time else self._records) or is_time:
                signed_at = time.monotonic()

    def _sign(self, *, least_records: int) -> int:
        try:
            return self._checkpoints.add(least_records=least_records)
        except (ArchivistError, OSError) as error:
            _log.error("audit_checkpoint_failed", error=type(error).__name__, reason=str(error))
        return 0
