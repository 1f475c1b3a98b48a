from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

import pytest
import structlog

from retrieval.adapters.resilience.breaker import BreakerLimits, BreakerState
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.adapters.resilience.guard import Guard, GuardLimits
from tests.retrieval.resilience.conftest import Time

NEVER_OPEN = BreakerLimits(failures=10**9, window_calls=10**6, open_seconds=30, longest_rest_seconds=60)
LIMITS = GuardLimits(NEVER_OPEN, most_calls=2, attempts=3, retry_share=1.0, retry_pause_seconds=0.1)


def guard(time: Time, limits: GuardLimits = LIMITS) -> Guard:
    return Guard("stub", limits, monotonic=time, sleep=time.sleep)


class Streaming:
    """Fails so often before its first item. Then gives the seconds it was told, `said` times, and fails if that is less than 3 times."""

    def __init__(self, time: Time, *, failures: int = 0, said: int = 3) -> None:
        self.time, self.failures, self.said = time, failures, said
        self.calls = self.closed = 0

    def __call__(self, seconds: float) -> Generator[float, None, None]:
        self.calls += 1
        try:
            if self.calls <= self.failures:
                raise CallFailed("status 500", again=True)
            for _ in range(self.said):
                yield seconds
            if self.said < 3:
                raise CallFailed("status 500", again=True)
        finally:
            self.closed += 1


def test_a_stream_that_fails_before_its_first_item_is_tried_again_with_what_time_is_left(time):
    work = Streaming(time, failures=2)
    guarded = guard(time)
    for _ in range(2):
        guarded.call(lambda seconds: seconds, timeout_seconds=1)

    items = list(guarded.stream(work, timeout_seconds=1))

    assert (work.calls, work.closed, len(items)) == (3, 3, 3)
    assert 0.7 < items[0] <= 1.0


@pytest.mark.parametrize("said", [1, 2])
def test_a_stream_that_breaks_off_is_not_begun_again(time, said):
    work = Streaming(time, said=said)
    taken = []

    with pytest.raises(CallFailed, match="status 500"):
        taken.extend(guard(time).stream(work, timeout_seconds=1))

    assert (work.calls, work.closed) == (1, 1)


def test_streams_that_break_off_open_the_breaker(time):
    guarded = guard(time, replace(LIMITS, breaker=replace(NEVER_OPEN, failures=2)))
    work = Streaming(time, said=1)
    for _ in range(10):
        with pytest.raises(CallFailed):
            list(guarded.stream(work, timeout_seconds=1))

    assert work.calls == 2
    assert guarded.state is BreakerState.OPEN


def test_whoever_leaves_tells_nothing_against_the_dependency(time):
    guarded = guard(time, replace(LIMITS, breaker=replace(NEVER_OPEN, failures=1)))
    work = Streaming(time)
    for _ in range(10):
        with closing(guarded.stream(work, timeout_seconds=1)) as items:
            next(items)

    assert (work.calls, work.closed) == (10, 10)
    assert guarded.state is BreakerState.CLOSED


def test_a_probe_that_is_left_makes_way_for_another(time):
    guarded = guard(time, replace(LIMITS, breaker=replace(NEVER_OPEN, failures=1)))
    with pytest.raises(CallFailed):
        list(guarded.stream(Streaming(time, said=1), timeout_seconds=1))
    time.now += 30
    with closing(guarded.stream(Streaming(time), timeout_seconds=1)) as items:
        next(items)
    assert guarded.state is BreakerState.HALF_OPEN

    assert len(list(guarded.stream(Streaming(time), timeout_seconds=1))) == 3
    assert guarded.state is BreakerState.CLOSED


def test_a_stream_holds_its_place_until_it_ends_or_is_left(time):
    guarded = guard(time)
    open_ones = [guarded.stream(Streaming(time), timeout_seconds=1) for _ in range(2)]
    for stream in open_ones:
        next(stream)

    with pytest.raises(CallFailed, match="as many calls as may be"):
        next(guarded.stream(Streaming(time), timeout_seconds=1))
    open_ones[0].close()
    assert len(list(open_ones[1])) == 2

    for _ in range(2):
        open_ones.append(guarded.stream(Streaming(time), timeout_seconds=1))
        next(open_ones[-1])


def test_without_any_time_there_is_no_stream(time):
    work = Streaming(time)

    with pytest.raises(CallFailed, match="no time"):
        next(guard(time).stream(work, timeout_seconds=0))

    assert work.calls == 0


def test_the_log_names_why_a_stream_broke_off(time):
    with structlog.testing.capture_logs() as lines, pytest.raises(CallFailed):
        list(guard(time).stream(Streaming(time, said=2), timeout_seconds=1))

    assert [(line["event"], line["cause"]) for line in lines] == [("model_call_failed", "status 500")]
