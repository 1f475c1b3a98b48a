"""A dependency's guard: a deadline, most calls at once, a circuit breaker, and retries at this one layer within a budget.

The pause before a retry is drawn evenly between nothing and a limit: "full jitter" of Brooker, "Exponential Backoff And Jitter"
(AWS Architecture Blog, 2015).
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import TypeVar

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from retrieval.adapters.resilience.breaker import BreakerLimits, BreakerState, CircuitBreaker
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.adapters.resilience.retry_budget import RetryBudget

_logger = structlog.get_logger("retrieval.resilience")
_RETRIES_SAVED = 10

T = TypeVar("T")


@dataclass(frozen=True)
class GuardLimits:
    """What a dependency may cost.

    Attributes:
        most_calls: at once; one more is refused without waiting.
        attempts: at one request, the first included.
        retry_share: retries per request, over all requests, 0 to 1.
        retry_pause_seconds: most before the first retry; twice that before the next.
    """

    breaker: BreakerLimits
    most_calls: int
    attempts: int
    retry_share: float
    retry_pause_seconds: float


class Guard:
    """One for each dependency, shared by all threads that call it."""

    def __init__(
        self,
        name: str,
        limits: GuardLimits,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._limits = limits
        self._monotonic = monotonic
        self._sleep = sleep
        self._breaker = CircuitBreaker(name, limits.breaker, monotonic=monotonic)
        self._budget = RetryBudget(limits.retry_share, most=_RETRIES_SAVED)
        self._places = BoundedSemaphore(limits.most_calls)

    @property
    def state(self) -> BreakerState:
        return self._breaker.state

    def call(self, work: Callable[[float], T], *, timeout_seconds: float) -> T:
        """What `work` gives. It is told how many seconds are left, has to keep to them, and raises CallFailed.

        Raises:
            CallFailed: of the last attempt; or there was none, because the breaker is open, too many calls are being made, or the
                time is over.
        """
        deadline = self._monotonic() + timeout_seconds

        def once(number: int) -> T:
            with self._attempt(number, deadline) as seconds:
                return work(seconds)

        with self._place():
            return self._tried(once, deadline)

    def stream(self, work: Callable[[float], Generator[T, None, None]], *, timeout_seconds: float) -> Generator[T, None, None]:
        """What `work` yields, which is something. It is tried again only as long as nothing of it has been handed on.

        It is told how many seconds are left, has to keep to them, and raises CallFailed. Whoever closes this closes it.

        Raises:
            CallFailed: while iterating, as `call` does.
        """
        deadline = self._monotonic() + timeout_seconds

        def attempt(number: int) -> Generator[T, None, None]:
            with self._attempt(number, deadline) as seconds, closing(work(seconds)) as items:
                yield from items

        def begun(number: int) -> tuple[T, Generator[T, None, None]]:
            items = attempt(number)
            return next(items), items

        with self._place():
            item, others = self._tried(begun, deadline)
            with closing(others):
                yield item
                yield from others

    def _tried(self, once: Callable[[int], T], deadline: float) -> T:
        """What `once` gives; it is told the attempt's number, from 1."""
        attempts = Retrying(
            retry=retry_if_exception(_may_succeed_at_once),
            wait=wait_random_exponential(multiplier=self._limits.retry_pause_seconds),
            stop=self._stops(deadline),
            sleep=self._sleep,
            reraise=True,
        )
        for attempt in attempts:
            with attempt:
                return once(attempt.retry_state.attempt_number)
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise CallFailed("as many calls as may be are being made", unhealthy=False)
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def _attempt(self, number: int, deadline: float) -> Iterator[float]:
        """One call of the dependency is made inside, which has this many seconds."""
        with self._breaker.call():
            if number == 1:
                self._budget.put_in()
            begun = self._monotonic()
            if begun >= deadline:
                raise CallFailed("no time is left for it", unhealthy=False)
            try:
                yield deadline - begun
            except CallFailed as failure:
                seconds = round(self._monotonic() - begun, 3)
                _logger.warning("model_call_failed", dependency=self._name, cause=failure.cause, seconds=seconds)
                raise

    def _stops(self, deadline: float) -> Callable[[RetryCallState], bool]:
        """Whether there is to be no retry. Asked last, the budget is spent only on one that is made."""

        def stops(state: RetryCallState) -> bool:
            too_late = self._monotonic() + state.upcoming_sleep >= deadline
            return state.attempt_number >= self._limits.attempts or too_late or not self._budget.take_out()

        return stops


def _may_succeed_at_once(error: BaseException) -> bool:
    return isinstance(error, CallFailed) and error.again
