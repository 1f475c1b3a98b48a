import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Iterator

import pytest

from retrieval.adapters.resilience.cancellable import CancellableCalls
from tests.slack import FAR_SECONDS, SLACK_SECONDS, within


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
            await asyncio.sleep(FAR_SECONDS)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    begun = time.monotonic()
    with within(0.05), pytest.raises(TimeoutError):
        calls.run(wait, timeout_seconds=0.05)

    assert time.monotonic() - begun >= 0.05
    assert cancelled.wait(SLACK_SECONDS)


def test_nobody_waits_for_a_call_that_cannot_be_cancelled(calls):
    released = threading.Event()

    async def block() -> None:
        released.wait(FAR_SECONDS)  # as a resolver of names might

    with within(0.05), pytest.raises(TimeoutError):
        calls.run(block, timeout_seconds=0.05)

    released.set()


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
    assert begun.wait(SLACK_SECONDS)

    calls.close()
    asking.join(SLACK_SECONDS)

    assert len(failed) == 1
    assert "closing" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(TimeoutError):
        calls.run(wait, timeout_seconds=1)


class Counting:
    """Yields 1, 2, 3 and so on with a pause before each, and knows when it has been ended."""

    def __init__(self, pause_seconds: float = 0.0, most: int = 10**9) -> None:
        self.pause_seconds, self.most = pause_seconds, most
        self.given = 0
        self.ended = threading.Event()

    async def __call__(self) -> AsyncGenerator[int, None]:
        try:
            while self.given < self.most:
                await asyncio.sleep(self.pause_seconds)
                self.given += 1
                yield self.given
        finally:
            self.ended.set()


def test_what_is_yielded_is_given_in_order_and_only_when_it_is_asked_for(calls):
    counting = Counting(most=4)
    stream = calls.stream(counting, first_seconds=1, timeout_seconds=1)

    assert counting.given == 0
    assert next(stream) == 1
    assert counting.given == 1
    assert list(stream) == [2, 3, 4]
    assert counting.ended.is_set()


def test_whoever_closes_a_stream_ends_it_at_once(calls):
    counting = Counting()
    stream = calls.stream(counting, first_seconds=1, timeout_seconds=60)
    next(stream)

    with within(0):
        stream.close()

    assert counting.ended.wait(0)


def test_whoever_forgets_a_stream_ends_it_too(calls):
    counting = Counting()
    stream = calls.stream(counting, first_seconds=1, timeout_seconds=60)
    next(stream)

    del stream

    assert counting.ended.wait(SLACK_SECONDS)


def test_a_stream_that_does_not_begin_in_its_time_is_cancelled(calls):
    counting = Counting(pause_seconds=FAR_SECONDS)

    with within(0.05), pytest.raises(TimeoutError):
        next(calls.stream(counting, first_seconds=0.05, timeout_seconds=FAR_SECONDS))

    assert counting.ended.wait(SLACK_SECONDS)


def test_a_stream_has_no_more_time_than_it_was_given_however_fast_it_comes(calls):
    counting = Counting(pause_seconds=0.01, most=round(FAR_SECONDS / 0.01))
    begun = time.monotonic()

    with within(0.2), pytest.raises(TimeoutError):
        list(calls.stream(counting, first_seconds=FAR_SECONDS, timeout_seconds=0.2))

    assert time.monotonic() - begun > 0.15
    assert counting.ended.wait(SLACK_SECONDS)


def test_what_is_done_between_two_pieces_is_in_the_time(calls):
    counting = Counting()
    stream = calls.stream(counting, first_seconds=60, timeout_seconds=0.1)
    next(stream)
    time.sleep(0.12)

    with pytest.raises(TimeoutError):
        next(stream)

    assert (counting.given, counting.ended.wait(SLACK_SECONDS)) == (1, True)


def test_what_a_stream_raises_is_raised_where_it_is_taken(calls):
    async def fail() -> AsyncGenerator[int, None]:
        yield 1
        raise ZeroDivisionError

    stream = calls.stream(fail, first_seconds=1, timeout_seconds=1)

    assert next(stream) == 1
    with pytest.raises(ZeroDivisionError):
        next(stream)


def test_closing_ends_streams_that_nobody_takes_any_more():
    calls, counting = CancellableCalls("closing"), Counting()
    stream = calls.stream(counting, first_seconds=1, timeout_seconds=60)
    next(stream)

    calls.close()

    assert counting.ended.is_set()
    with pytest.raises(TimeoutError):
        next(stream)
