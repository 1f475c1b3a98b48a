import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.adapters.resilience.breaker import BreakerLimits, BreakerState, CircuitBreaker
from retrieval.adapters.resilience.failures import CallFailed
from tests.retrieval.resilience.conftest import Time

LIMITS = BreakerLimits(failures=3, window_calls=6, open_seconds=30, longest_rest_seconds=120)


@pytest.fixture
def breaker(time: Time) -> CircuitBreaker:
    return CircuitBreaker("stub", LIMITS, monotonic=time)


def succeed(breaker: CircuitBreaker) -> None:
    with breaker.call():
        pass


def fail(breaker: CircuitBreaker, **failure: object) -> None:
    with pytest.raises(CallFailed, match="status 500"), breaker.call():
        raise CallFailed("status 500", **failure)


def end(cause: str, **failure: object) -> None:
    raise CallFailed(cause, **failure)


def refused(breaker: CircuitBreaker) -> bool:
    with pytest.raises(CallFailed) as failed, breaker.call():
        end("was let in", unhealthy=False)
    return failed.value.cause != "was let in"


def opened(breaker: CircuitBreaker) -> CircuitBreaker:
    for _ in range(LIMITS.failures):
        fail(breaker)
    return breaker


def test_a_dependency_that_keeps_failing_is_left_alone(breaker):
    fail(breaker)
    fail(breaker)
    before = breaker.state
    fail(breaker)

    assert (before, breaker.state) == (BreakerState.CLOSED, BreakerState.OPEN)
    assert refused(breaker)


def test_failures_between_successes_count_while_they_are_among_the_latest(breaker):
    for _ in range(2):
        fail(breaker)
        succeed(breaker)
    fail(breaker)

    assert breaker.state is BreakerState.OPEN


def test_failures_long_past_are_forgotten(breaker):
    fail(breaker)
    fail(breaker)
    for _ in range(LIMITS.window_calls):
        succeed(breaker)
    fail(breaker)

    assert breaker.state is BreakerState.CLOSED


def test_one_success_as_a_probe_closes_it_and_the_past_is_forgotten(breaker, time):
    opened(breaker)
    time.now += 30
    half_open = breaker.state

    succeed(breaker)
    fail(breaker)

    assert (half_open, breaker.state) == (BreakerState.HALF_OPEN, BreakerState.CLOSED)


def test_a_failed_probe_opens_it_for_as_long_again(breaker, time):
    opened(breaker)
    time.now += 30
    fail(breaker)
    time.now += 29.9

    assert refused(breaker)
    time.now += 0.1
    assert not refused(breaker)


def test_while_a_probe_is_out_nobody_else_is_let_in(breaker, time):
    opened(breaker)
    time.now += 30

    with breaker.call():
        others = [refused(breaker) for _ in range(3)]

    assert others == [True, True, True]
    assert breaker.state is BreakerState.CLOSED


def test_a_probe_that_says_nothing_of_the_dependency_makes_way_for_another(breaker, time):
    opened(breaker)
    time.now += 30
    fail(breaker, unhealthy=False)

    assert breaker.state is BreakerState.HALF_OPEN
    succeed(breaker)
    assert breaker.state is BreakerState.CLOSED


def test_a_probe_that_breaks_off_makes_way_for_another(breaker, time):
    opened(breaker)
    time.now += 30
    with pytest.raises(KeyboardInterrupt), breaker.call():
        raise KeyboardInterrupt
    time.now += 30

    assert not refused(breaker)


def test_refusals_of_single_requests_open_nothing(breaker):
    for _ in range(100):
        fail(breaker, unhealthy=False)

    assert breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize("failure", [None, CallFailed("late")], ids=["success", "failure"])
def test_a_call_from_before_it_opened_decides_nothing_after(breaker, time, failure):
    late = breaker.call()
    late.__enter__()
    opened(breaker)
    time.now += 30

    with breaker.call():  # the probe
        late.__exit__(failure and CallFailed, failure, None)
        during = breaker.state
        assert refused(breaker)

    assert (during, breaker.state) == (BreakerState.HALF_OPEN, BreakerState.CLOSED)


@pytest.mark.parametrize(
    ("asked", "given"),
    [pytest.param(60, 60, id="longer than ours"), pytest.param(5, 30, id="shorter"), pytest.param(9e9, 120, id="beyond the limit")],
)
def test_a_dependency_that_asks_for_it_is_left_alone_at_once(breaker, time, asked, given):
    fail(breaker, rest_seconds=asked)
    time.now += given - 0.1
    before = refused(breaker)
    time.now += 0.1

    assert (before, refused(breaker)) == (True, False)


def test_a_flapping_dependency_has_one_probe_at_a_time_and_two_calls_after_recovery_close_it(time):
    """R16: 1,000 recoveries under eight threads that all want to call."""
    draw = random.Random(16)
    breaker = CircuitBreaker("flapping", LIMITS, monotonic=time)
    inside, most_inside, probes = 0, 0, 0
    counting = threading.Lock()

    def call(is_up: Callable[[], bool]) -> None:
        nonlocal inside, most_inside, probes
        with suppress(CallFailed), breaker.call():
            with counting:
                inside, probes = inside + 1, probes + 1
                most_inside = max(most_inside, inside)
            up = is_up()
            with counting:
                inside -= 1
            if not up:
                end("down")

    def round_of(pool: ThreadPoolExecutor, *, up: bool) -> None:
        together = threading.Barrier(8)

        def wait_and_call(_number: int) -> None:
            together.wait()
            call(lambda: up)

        list(pool.map(wait_and_call, range(8)))

    with ThreadPoolExecutor(8) as pool:
        for _ in range(125):
            while breaker.state is BreakerState.CLOSED:
                call(lambda: False)
            most_inside = probes = 0
            for _ in range(draw.randint(0, 3)):
                time.now += 30
                before = probes
                round_of(pool, up=False)
                assert probes == before + 1
            time.now += 30
            probes = 0
            call(lambda: True)
            assert (breaker.state, probes, most_inside) == (BreakerState.CLOSED, 1, 1)


@given(st.lists(st.sampled_from(["ok", "fail", "odd", "wait"]), max_size=60))
def test_whatever_happens_it_lets_a_probe_in_once_its_time_is_over(events):
    time = Time()
    breaker = CircuitBreaker("any", LIMITS, monotonic=time)
    for event in events:
        if event == "wait":
            time.now += 10
            continue
        with suppress(CallFailed), breaker.call():
            if event != "ok":
                end(event, unhealthy=event == "fail")

    time.now += LIMITS.longest_rest_seconds
    assert not refused(breaker)
