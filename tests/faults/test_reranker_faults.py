"""R8, R13, R15: a provider that is down, slow or wrong. Every request is answered in its time, in the order that it had.

`ARCHIVIST_TEST_RERANKINGS` sets how many requests are made in all (2,000 in the long form; 800 without it).
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from retrieval.bootstrap import open_rerankers
from retrieval.ports.models import Reranker
from retrieval.settings import Settings
from retrieval.steps.rerank import Reranking, rerank
from tests.cohere_server import KEY, SLOW, WRONG, Cohere, relevance, serving_cohere
from tests.slack import FAR_SECONDS, SLACK_SECONDS, within

REQUESTS = int(os.environ.get("ARCHIVIST_TEST_RERANKINGS", "800"))
DEADLINE_SECONDS = 30.0
"""More than anything here needs, however busy the machine is."""
QUERY = "red fox hoist"
TEXTS = ["Animals\nA red fox", "Whales\nBlue", "Machines\nThe hoist of a red crane", "Colours\nred"]
RIGHT = tuple(relevance(QUERY, text) for text in TEXTS)
FAILED = Reranking(None, None, ("cohere/rerank-v3.5",))


@pytest.fixture
def cohere() -> Iterator[Cohere]:
    with serving_cohere() as cohere:
        yield cohere


@contextmanager
def reranking(cohere: Cohere, **settings: object) -> Iterator[tuple[Reranker, ...]]:
    with open_rerankers(Settings(cohere_api_key=KEY, cohere_base_url=cohere.url, **settings)) as rerankers:
        yield rerankers


def ask(rerankers: Sequence[Reranker], *, seconds: float = DEADLINE_SECONDS) -> tuple[Reranking, float]:
    begun = time.monotonic()
    return rerank(QUERY, TEXTS, rerankers, seconds), time.monotonic() - begun


def test_whatever_the_provider_answers_the_order_is_its_ranking_or_stays(cohere: Cohere):
    """No breaker and no pause, so that every request meets its fault."""
    draw = random.Random(8)
    faults = [fault for fault in WRONG if fault != "429 with Retry-After"]
    cohere.script = [draw.choice([*faults, "right"]) for _ in range(REQUESTS - 100)]
    expected = Counter(cohere.script)
    with reranking(cohere, model_breaker_failures=10**6, model_attempts=1) as rerankers, ThreadPoolExecutor(4) as pool:
        answered = list(pool.map(lambda _: ask(rerankers), range(REQUESTS - 100)))

    assert cohere.fired == expected
    assert set(expected) == {*faults, "right"}
    assert Counter(found for found, _ in answered) == {
        Reranking(RIGHT, "cohere/rerank-v3.5", ()): expected["right"],
        FAILED: REQUESTS - 100 - expected["right"],
    }
    assert max(seconds for _, seconds in answered) < SLACK_SECONDS, "nobody waits for the deadline"


@pytest.mark.parametrize("fault", sorted(SLOW))
def test_however_slow_the_provider_is_the_deadline_holds_and_nothing_goes_on_after_it(cohere: Cohere, fault: str):
    """Slower than its deadline by nothing to ten times, drawn; each of fifty requests by itself."""
    draw = random.Random(13)
    deadline = 0.1
    threads = threading.active_count()
    with reranking(cohere, model_breaker_failures=10**6) as rerankers:
        for slowness in (FAR_SECONDS, *(draw.uniform(0, 10) * deadline for _ in range(49 if fault == "slow" else 4))):
            cohere.fault, cohere.seconds = fault, slowness
            found, seconds = ask(rerankers, seconds=deadline)
            assert seconds < deadline + SLACK_SECONDS
            assert found in (FAILED, Reranking(RIGHT, "cohere/rerank-v3.5", ()))
            if cohere.seconds > deadline:
                assert found == FAILED
        until = time.monotonic() + SLACK_SECONDS
        while threading.active_count() > threads + 3 and time.monotonic() < until:  # the caller's loop and the server's connections
            time.sleep(0.02)
        late = threading.active_count() - threads

    assert cohere.fired[fault] >= 5
    assert cohere.given_up > cohere.fired[fault] / 2
    assert late <= 3


def test_a_provider_that_is_down_costs_the_requests_after_the_first_ones_nothing(cohere: Cohere):
    cohere.fault, cohere.seconds = "slow", FAR_SECONDS
    with reranking(cohere) as rerankers:
        first = [ask(rerankers, seconds=0.1) for _ in range(5)]
        with within(0):
            later = [ask(rerankers, seconds=0.1) for _ in range(1000)]

    assert cohere.fired["slow"] == 5
    assert {found for found, _ in first + later} == {FAILED}


def test_a_provider_that_fails_is_called_at_most_a_tenth_more_than_it_is_needed(cohere: Cohere):
    """R15, without the breaker's help."""
    cohere.fault = "500"
    with reranking(cohere, model_breaker_failures=10**6, model_retry_pause_seconds=0.002, model_attempts=4) as rerankers:
        answered = [ask(rerankers)[0] for _ in range(300)]

    assert Counter(answered) == {FAILED: 300}
    assert 320 <= len(cohere.requests) <= 330


def test_a_provider_that_asks_for_rest_is_not_called_again(cohere: Cohere):
    cohere.fault = "429 with Retry-After"
    with reranking(cohere, model_breaker_open_seconds=0.01) as rerankers:
        answered = [ask(rerankers)[0] for _ in range(100)]
        time.sleep(0.05)
        answered.append(ask(rerankers)[0])

    assert cohere.fired == {"429 with Retry-After": 1}
    assert Counter(answered) == {FAILED: 101}


def test_one_failure_in_between_is_not_even_noticed(cohere: Cohere):
    with reranking(cohere, model_retry_pause_seconds=0.002) as rerankers:
        for _ in range(20):
            ask(rerankers)
        cohere.script = ["500"]

        assert ask(rerankers)[0].failed == ()

    assert cohere.fired["500"] == 1


def test_a_provider_that_is_up_again_is_found_by_one_request(cohere: Cohere):
    """R16, over the wire."""
    cohere.fault = "500"
    with reranking(cohere, model_breaker_open_seconds=1.0, model_attempts=1) as rerankers:
        down = [ask(rerankers)[0] for _ in range(10)]
        calls = len(cohere.requests)
        cohere.fault = "right"
        time.sleep(1.01)
        up = [ask(rerankers)[0] for _ in range(10)]

    assert calls == 5
    assert Counter(down) == {FAILED: 10}
    assert Counter(up) == {Reranking(RIGHT, "cohere/rerank-v3.5", ()): 10}


def test_requests_that_the_provider_refuses_take_it_from_nobody_else(cohere: Cohere):
    with reranking(cohere) as rerankers:
        cohere.fault = "400"
        refused = [ask(rerankers)[0] for _ in range(50)]
        cohere.fault = "right"

        assert ask(rerankers)[0].by == "cohere/rerank-v3.5"
    assert Counter(refused) == {FAILED: 50}
    assert cohere.fired["400"] == 50
