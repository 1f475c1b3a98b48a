import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from retrieval.adapters.resilience.cancellable import CancellableCalls


@pytest.fixture
def calls() -> Iterator[CancellableCalls]:
    made = CancellableCalls("test")
    yield made
    made.close()


def test_what_a_coroutine_gives_is_given_to_the_thread_that_waits(calls):
    async def add() -> int:
        await asyncio.sleep(0)
        return 2 + 3

    assert calls.run(add, timeout_seconds=1) == 5


def test_what_a_coroutine_raises_is_raised_in_the_thread_that_waits(calls):
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        calls.run(fail, timeout_seconds=1)


def test_at_its_deadline_a_call_is_cancelled(calls):
    cancelled = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        calls.run(wait, timeout_seconds=0.05)

    assert 0.05 <= time.monotonic() - begun < 0.3
    assert cancelled.wait(1)


def test_nobody_waits_for_a_call_that_cannot_be_cancelled(calls):
    async def block() -> None:
        time.sleep(0.6)  # as a resolver of names might

    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        calls.run(block, timeout_seconds=0.05)

    assert time.monotonic() - begun < 0.3


def test_closing_ends_what_runs_and_the_thread():
    calls = CancellableCalls("closing")
    begun = threading.Event()
    failed: list[BaseException] = []

    async def wait() -> None:
        begun.set()
        await asyncio.sleep(60)

    def ask() -> None:
        try:
            calls.run(wait, timeout_seconds=60)
        except TimeoutError as error:
            failed.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    assert begun.wait(5)

    calls.close()
    asking.join(5)

    assert len(failed) == 1
    assert "closing" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(TimeoutError):
        calls.run(wait, timeout_seconds=1)
