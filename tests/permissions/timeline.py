"""Which states of a world a request may have seen.

While a change is being made both the old and the new state are right; once it has been acknowledged only the new one is. Moments
are numbers drawn one after the other, so no clock is asked and none can be coarse.
"""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.permissions.oracle import State


@dataclass
class _Span:
    state: State
    began: int
    ended: int | None = None


class Timeline:
    """The states in order. Changes are made one at a time; requests may be in flight meanwhile."""

    def __init__(self, state: State) -> None:
        self._moments = itertools.count(1)
        self._lock = threading.Lock()
        self._spans = [_Span(state, 0)]

    @property
    def now(self) -> State:
        return self._spans[-1].state

    def moment(self) -> int:
        with self._lock:
            return next(self._moments)

    @contextmanager
    def changing_to(self, state: State) -> Iterator[None]:
        """The block makes the change; when it ends the change is acknowledged."""
        with self._lock:
            self._spans.append(_Span(state, next(self._moments)))
        yield
        with self._lock:
            self._spans[-2].ended = next(self._moments)

    def between(self, started: int, ended: int) -> list[State]:
        """Every state that was right at some moment of a request."""
        with self._lock:
            return [span.state for span in self._spans if span.began <= ended and (span.ended is None or span.ended >= started)]
