"""One commit for everybody who waits. Whoever finds nobody writing writes for all who have come by then.

A commit is what a durable write costs: on a disk that takes 5 ms to be sure, 200 a second, however many values there are. Alone, a
caller pays for no other thread and no hand-over, which a thread that does all the writing would cost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from retrieval.domain.errors import ArchivistError, CatalogUnavailable

MAX_TOGETHER = 256

T = TypeVar("T")


@dataclass
class _Waiting(Generic[T]):
    value: T
    is_done: bool = False
    problem: Exception | None = field(default_factory=lambda: CatalogUnavailable("writing was interrupted"))


class GroupCommit(Generic[T]):
    """`write` is given values in the order they came. It returns when they are durable and raises when none of them is."""

    def __init__(self, write: Callable[[Sequence[T]], None]) -> None:
        self._write = write
        self._waiting: list[_Waiting[T]] = []
        self._queue = Lock()
        self._turn = Lock()

    def write(self, value: T) -> None:
        """Returns when the value is durable; otherwise raises CatalogUnavailable, or whatever defect kept it from being written."""
        mine = _Waiting(value)
        with self._queue:
            self._waiting.append(mine)
        with self._turn:
            while not mine.is_done:
                self._write_waiting()
        if isinstance(mine.problem, ArchivistError):
            raise CatalogUnavailable("what is asked for cannot be recorded now") from mine.problem
        if mine.problem is not None:
            raise mine.problem

    def _write_waiting(self) -> None:
        with self._queue:
            together, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
        try:
            problem = self._problem_of(together)
            for waiting in together:
                # What one of them broke is tried again one by one, so that nobody is refused for another's sake.
                waiting.problem = problem if problem is None or len(together) == 1 else self._problem_of([waiting])
        finally:
            for waiting in together:
                waiting.is_done = True

    def _problem_of(self, together: Sequence[_Waiting[T]]) -> Exception | None:
        try:
            self._write([waiting.value for waiting in together])
        except Exception as error:  # noqa: BLE001 - it rises in every caller whose value was not written
            return error
        return None
