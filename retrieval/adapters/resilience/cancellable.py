"""Calls that end when their time is over: coroutines on one event loop in a thread of its own, cancelled at the deadline.

A thread cannot be stopped, a coroutine can: its connection is closed, and nothing of it goes on. What a resolver of host names does
cannot be cut short either, but nobody waits for it.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, TypeVar

_STOP_SECONDS = 5.0
_LEAVE_SECONDS = 0.2

T = TypeVar("T")


class CancellableCalls:
    """Runs coroutines for threads that wait for them. Safe to use from several threads."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, call: Callable[[], Coroutine[Any, Any, T]], *, timeout_seconds: float) -> T:
        """What `call` gives.

        Raises:
            TimeoutError: it took longer and is cancelled, or this was closed meanwhile. Whatever else `call` raises.
        """
        if self._loop.is_closed():
            raise TimeoutError("closed")
        future = asyncio.run_coroutine_threadsafe(call(), self._loop)
        try:
            return future.result(timeout_seconds)
        except TimeoutError:
            future.cancel()
            raise
        except CancelledError as error:
            raise TimeoutError("closed") from error

    def stream(
        self, call: Callable[[], AsyncGenerator[T, None]], *, first_seconds: float, timeout_seconds: float
    ) -> Generator[T, None, None]:
        """What `call` yields, which is never None, asked for one by one. Whoever closes this before its end ends the call.

        Raises:
            TimeoutError: the first took longer than `first_seconds`, or all of it longer than `timeout_seconds`, what was done between
                two of them included; or this was closed meanwhile. Whatever else `call` raises.
        """
        deadline = time.monotonic() + timeout_seconds
        source = call()

        async def ask() -> T | None:
            return await anext(source, None)

        left = min(first_seconds, timeout_seconds)
        while (item := self.run(ask, timeout_seconds=left)) is not None:
            try:
                yield item
                left = _left_until(deadline)
            except (GeneratorExit, TimeoutError):
                with suppress(Exception):  # whoever leaves does not care how the call ends
                    self.run(source.aclose, timeout_seconds=_LEAVE_SECONDS)
                raise

    def close(self) -> None:
        """Cancels what still runs and ends the thread."""
        asyncio.run_coroutine_threadsafe(_cancel_the_others(), self._loop).result(_STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        self._loop.close()


def _left_until(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no time is left")
    return left


async def _cancel_the_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
