"""Calls that end when their time is over: coroutines on one event loop in a thread of its own, cancelled at the deadline.

A thread cannot be stopped, a coroutine can: its connection is closed, and nothing of it goes on. What a resolver of host names does
cannot be cut short either, but nobody waits for it.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

_STOP_SECONDS = 5.0

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

    def close(self) -> None:
        """Cancels what still runs and ends the thread."""
        asyncio.run_coroutine_threadsafe(_cancel_the_others(), self._loop).result(_STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        self._loop.close()


async def _cancel_the_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
