"""A circuit breaker: a dependency that keeps failing is left alone for a while, then asked once.

From Nygard, "Release It!" (2nd edition, 2018), chapter 5. Closed: everyone may call. Open: nobody may. Half-open: one may, the probe.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

import structlog

from retrieval.adapters.resilience.failures import CallFailed

_logger = structlog.get_logger("retrieval.resilience")


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True)
class BreakerLimits:
    """When a dependency is left alone.

    Attributes:
        failures: so many among the latest calls open the breaker.
        window_calls: how many the latest calls are.
        open_seconds: from the opening to the first probe, and from a failed probe to the next.
        longest_rest_seconds: most that a dependency's own wish to be left alone is heeded.
    """

    failures: int
    window_calls: int
    open_seconds: float
    longest_rest_seconds: float


class CircuitBreaker:
    """Safe to call from several threads. Never waits."""

    def __init__(self, name: str, limits: BreakerLimits, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._limits = limits
        self._monotonic = monotonic
        self._lock = Lock()
        self._latest: deque[bool] = deque(maxlen=limits.window_calls)
        self._era = 0
        """Grows whenever the breaker opens or closes. A call that was begun in an earlier era decides nothing in this one."""
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        with self._lock:
            if self._open_until is None:
                return BreakerState.CLOSED
            return BreakerState.HALF_OPEN if self._monotonic() >= self._open_until else BreakerState.OPEN

    @contextmanager
    def call(self) -> Iterator[None]:
        """One call of the dependency is made inside. Whether it raises, and what, decides about those that follow.

        Raises:
            CallFailed: it is not to be called now.
        """
        era = self._admit()
        try:
            yield
        except CallFailed as failure:
            self._failed(era, failure.rest_seconds) if failure.unhealthy else self._undecided(era)
            raise
        except GeneratorExit:  # whoever asked has enough of it
            self._undecided(era)
            raise
        except BaseException:
            self._failed(era, 0.0)
            raise
        self._succeeded(era)

    def _admit(self) -> int:
        with self._lock:
            if self._open_until is not None:
                if self._probing or self._monotonic() < self._open_until:
                    raise CallFailed("it is left alone after failures", unhealthy=False)
                self._probing = True
            return self._era

    def _succeeded(self, era: int) -> None:
        with self._lock:
            if era != self._era:
                return
            self._latest.append(False)
            if self._open_until is None:
                return
            self._turn(None)
        _logger.info("breaker_closed", dependency=self._name)

    def _failed(self, era: int, rest_seconds: float) -> None:
        with self._lock:
            if era != self._era:
                return
            self._latest.append(True)
            if self._open_until is None and not rest_seconds and sum(self._latest) < self._limits.failures:
                return
            seconds = max(self._limits.open_seconds, min(rest_seconds, self._limits.longest_rest_seconds))
            self._turn(self._monotonic() + seconds)
        _logger.warning("breaker_opened", dependency=self._name, seconds=seconds)

    def _undecided(self, era: int) -> None:
        """A call that says nothing of the dependency: as a probe it makes way for another."""
        with self._lock:
            if era == self._era:
                self._probing = False

    def _turn(self, open_until: float | None) -> None:
        self._open_until = open_until
        self._probing = False
        self._era += 1
        self._latest.clear()
