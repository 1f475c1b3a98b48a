import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import structlog

from retrieval.adapters.resilience.breaker import BreakerLimits, BreakerState
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.adapters.resilience.guard import Guard, GuardLimits
from tests.retrieval.resilience.conftest import Time

NEVER_OPEN = BreakerLimits(failures=10**9, window_calls=10**6, open_seconds=30, longest_rest_seconds=60)
LIMITS = GuardLimits(NEVER_OPEN, most_calls=4, attempts=2, retry_share=1.0, retry_pause_seconds=0.1)


def guard(time: Time, limits: GuardLimits = LIMITS) -> Guard:
    return Guard("stub", limits, monotonic=time, sleep=time.sleep)


class Failing:
    """Fails so often, then gives the seconds that it was told are left."""

    def __init__(self, time: Time, failures: int, *, taking: float = 0.0, again: bool = True) -> None:
        self.time, self.failures, self.taking, self.again = time, failures, taking, again
        self.calls = 0

    def __call__(self, seconds: float) -> float:
        self.calls += 1
        self.time.now += self.taking
        if self.calls <= self.failures:
            raise CallFailed("status 500", again=self.again)
        return seconds


def test_a_passing_failure_is_tried_again_with_what_time_is_left(time):
    work = Failing(time, 1, taking=0.25)

    left = guard(time).call(work, timeout_seconds=1)

    assert work.calls == 2
    assert 0.65 <= left <= 0.75  # 0.25 for the first, up to 0.1 for the pause


def test_the_pause_is_drawn_between_nothing_and_its_limit(time):
    pauses = []
    guarded = Guard("stub", LIMITS, monotonic=time, sleep=pauses.append)
    for _ in range(200):
        guarded.call(Failing(time, 1), timeout_seconds=1)

    assert 0 <= min(pauses) < 0.02
    assert 0.08 < max(pauses) <= 0.1


@pytest.mark.parametrize(
    ("work", "limits", "calls"),
    [
        pytest.param({"failures": 9, "again": False}, LIMITS, 1, id="a failure that would come again"),
        pytest.param({"failures": 9}, LIMITS, 2, id="no more attempts"),
        pytest.param({"failures": 9}, replace(LIMITS, attempts=1), 1, id="one attempt only"),
        pytest.param({"failures": 9}, replace(LIMITS, retry_share=0.9), 1, id="no budget"),
        pytest.param({"failures": 9, "taking": 1.0}, LIMITS, 1, id="no time"),
    ],
)
def test_the_last_failure_is_told_when_there_is_no_retry(time, work, limits, calls):
    failing = Failing(time, **work)

    with pytest.raises(CallFailed, match="status 500"):
        guard(time, limits).call(failing, timeout_seconds=1)

    assert failing.calls == calls


def test_a_retry_that_is_not_made_costs_no_budget(time):
    guarded = guard(time, replace(LIMITS, retry_share=0.5))
    for _ in range(4):
        guarded.call(Failing(time, 0), timeout_seconds=1)
    for failing in (Failing(time, 9, taking=1.0), Failing(time, 9)):  # too late for one, and one retry already made
        with pytest.raises(CallFailed):
            guarded.call(failing, timeout_seconds=1)

    for _ in range(4):  # 0.5 each, and 4 * 0.5 + 2 * 0.5 - 1 = 2 saved before
        work = Failing(time, 1)
        guarded.call(work, timeout_seconds=1)
        assert work.calls == 2
    with pytest.raises(CallFailed):
        guarded.call(Failing(time, 1), timeout_seconds=1)


def test_a_dependency_that_always_fails_is_called_at_most_a_tenth_more_than_it_is_needed(time):
    """R15, without a breaker that would help."""
    guarded = guard(time, replace(LIMITS, retry_share=0.1, attempts=5))
    failing = Failing(time, 10**9)
    for _ in range(5_000):
        with pytest.raises(CallFailed):
            guarded.call(failing, timeout_seconds=60)

    assert 5_400 < failing.calls <= 5_500


def test_with_its_breaker_open_a_dependency_is_not_called(time):
    guarded = guard(time, replace(LIMITS, breaker=replace(NEVER_OPEN, failures=2), attempts=1))
    failing = Failing(time, 10**9)
    for _ in range(50):
        with pytest.raises(CallFailed):
            guarded.call(failing, timeout_seconds=1)

    assert failing.calls == 2
    assert guarded.state is BreakerState.OPEN


def test_without_any_time_there_is_no_call(time):
    work = Failing(time, 0)

    with pytest.raises(CallFailed, match="no time"):
        guard(time).call(work, timeout_seconds=0)

    assert work.calls == 0


def test_one_call_too_many_at_once_is_refused_and_gives_its_place_back(time):
    guarded = guard(time)
    inside, let_go = threading.Barrier(LIMITS.most_calls + 1), threading.Event()

    def wait(seconds: float) -> float:
        inside.wait(5)
        assert let_go.wait(5)
        return seconds

    with ThreadPoolExecutor(LIMITS.most_calls) as pool:
        waiting = [pool.submit(guarded.call, wait, timeout_seconds=1) for _ in range(LIMITS.most_calls)]
        inside.wait(5)
        with pytest.raises(CallFailed, match="as many calls as may be"):
            guarded.call(Failing(time, 0), timeout_seconds=1)
        let_go.set()
        assert [future.result() for future in waiting] == [1, 1, 1, 1]

    assert guarded.call(Failing(time, 0), timeout_seconds=1) == 1


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_mistake_of_ours_rises_and_gives_its_place_back(time, error):
    guarded = guard(time, replace(LIMITS, most_calls=1))

    def mistaken(_seconds: float) -> float:
        raise error

    for _ in range(3):
        with pytest.raises(error):
            guarded.call(mistaken, timeout_seconds=1)

    assert guarded.call(Failing(time, 0), timeout_seconds=1) == 1


def test_the_log_names_the_dependency_and_the_cause(time):
    limits = replace(LIMITS, breaker=replace(NEVER_OPEN, failures=1), attempts=1)
    guarded = guard(time, limits)
    failing: Callable[[float], float] = Failing(time, 1, taking=0.5)

    with structlog.testing.capture_logs() as lines:
        with pytest.raises(CallFailed):
            guarded.call(failing, timeout_seconds=1)
        time.now += 30
        guarded.call(failing, timeout_seconds=1)

    assert lines == [
        {"event": "model_call_failed", "log_level": "warning", "dependency": "stub", "cause": "status 500", "seconds": 0.5},
        {"event": "breaker_opened", "log_level": "warning", "dependency": "stub", "seconds": 30},
        {"event": "breaker_closed", "log_level": "info", "dependency": "stub"},
    ]
