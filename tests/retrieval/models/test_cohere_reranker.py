import json
import logging
import math
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from retrieval.adapters.models.cohere_access import CohereAccess
from retrieval.adapters.models.cohere_reranker import CohereLimits, CohereReranker
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.domain.errors import InvalidInput
from retrieval.domain.sources import Classification
from tests.cohere_server import GIVEN, KEY, SLOW, WRONG, Cohere, answer, serving_cohere
from tests.slack import FAR_SECONDS, SLACK_SECONDS, within

LIMITS = CohereLimits(passages=50, characters=2_000, seconds=5.0, response_bytes=100_000)
QUERY = "secret question about hoists"
TEXTS = ["Hoists\nThe secret question.", "Leave\nSix months.", "Hoists\nMore about secret hoists, a question."]


def access(url: str, **changed: object) -> CohereAccess:
    return CohereAccess(**{"model": "rerank-v3.5", "key": KEY, "base_url": url, "most_sensitive": Classification.INTERNAL, **changed})


@pytest.fixture
def cohere() -> Iterator[Cohere]:
    with serving_cohere() as cohere:
        yield cohere


@pytest.fixture
def reranker(cohere: Cohere) -> Iterator[CohereReranker]:
    reranker = CohereReranker(access(cohere.url), LIMITS)
    yield reranker
    reranker.close()


def failure(call: Callable[[], object]) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        call()
    return caught.value


def test_each_text_has_its_score_in_the_order_in_which_it_was_given(cohere, reranker):
    assert reranker.scores("red fox", ["blue", "a red fox", "red"], timeout_seconds=5) == (0, 1, 0.5)
    assert reranker.name == "cohere/rerank-v3.5"


def test_what_leaves_are_the_query_and_the_texts_and_nothing_else(cohere, reranker):
    reranker.scores(QUERY, TEXTS, timeout_seconds=5)

    (request,) = cohere.requests
    assert request.body == {"model": "rerank-v3.5", "query": QUERY, "documents": TEXTS}
    assert request.path == "/v2/rerank"
    assert {name.lower() for name in request.headers} == {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
        "authorization",
        "content-type",
        "content-length",
    }


def test_of_a_long_text_only_the_beginning_is_sent(cohere, reranker):
    reranker.scores("x", ["a" * 2_000 + "b" * 10], timeout_seconds=5)

    assert cohere.requests[0].body["documents"] == ["a" * 2_000]


def test_what_no_encoding_can_write_is_replaced(cohere, reranker):
    assert reranker.scores("fox \ud800", ["\udfff fox"], timeout_seconds=5) == (1.0,)
    assert cohere.requests[0].body["documents"] == ["\ufffd fox"]


def test_nothing_is_asked_about_no_texts(cohere, reranker):
    assert reranker.scores("x", [], timeout_seconds=5) == ()
    assert cohere.requests == []


def test_more_texts_than_are_allowed_are_not_sent(cohere, reranker):
    failed = failure(lambda: reranker.scores("x", ["y"] * 51, timeout_seconds=5))

    assert (failed.unhealthy, cohere.requests) == (False, [])


@pytest.mark.parametrize("fault", WRONG)
def test_whatever_is_no_ranking_is_a_failure_that_tells_nothing(cohere, reranker, caplog, fault):
    cohere.fault = fault
    caplog.set_level(logging.DEBUG)

    failed = failure(lambda: reranker.scores(QUERY, TEXTS, timeout_seconds=5))

    told = "".join(traceback.format_exception(failed)) + repr(failed) + caplog.text + repr(vars(failed))
    assert cohere.fired == {fault: 1}
    assert not [word for word in (KEY, "secret question", "Six months") if word in told]
    assert failed.__context__ is None


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("500", {"again": True}),
        ("503", {"again": True}),
        ("reset", {"again": True}),
        ("truncated", {"again": True}),
        ("429", {}),
        ("429 with Retry-After", {"rest_seconds": 7.0}),
        ("401", {}),
        ("404", {}),
        ("redirect", {}),
        ("NaN", {}),
        ("garbage", {}),
        ("400", {"unhealthy": False}),
    ],
)
def test_a_failure_says_what_its_guard_needs_to_know(cohere, reranker, fault, says):
    cohere.fault = fault

    failed = failure(lambda: reranker.scores(QUERY, TEXTS, timeout_seconds=5))

    found = {"again": failed.again, "unhealthy": failed.unhealthy, "rest_seconds": failed.rest_seconds}
    assert found == {"again": False, "unhealthy": True, "rest_seconds": 0.0, **says}


def test_texts_are_not_sent_where_a_redirect_leads(cohere, reranker):
    cohere.fault = "redirect"

    failure(lambda: reranker.scores(QUERY, TEXTS, timeout_seconds=5))

    assert [request.path for request in cohere.requests] == ["/v2/rerank"]


def test_of_a_huge_answer_no_more_is_read_than_allowed(cohere, reranker):
    cohere.fault = "huge"

    failed = failure(lambda: reranker.scores(QUERY, TEXTS, timeout_seconds=5))
    time.sleep(0.1)

    assert "100000 bytes" in failed.cause
    assert cohere.huge_bytes < 10_000_000  # what lies in the buffers of the connection, of 655 million


@pytest.mark.parametrize("fault", sorted(SLOW))
def test_at_the_deadline_the_call_is_over_here_and_there(cohere, reranker, fault):
    cohere.fault, cohere.seconds = fault, FAR_SECONDS

    with within(0.2):
        failed = failure(lambda: reranker.scores(QUERY, TEXTS, timeout_seconds=0.2))

    assert failed.cause == "no answer in time"
    until = time.monotonic() + SLACK_SECONDS  # on a busy machine the server hears of it late
    while not cohere.given_up and time.monotonic() < until:
        time.sleep(0.01)
    assert cohere.given_up == 1


def test_its_own_limit_holds_where_the_caller_has_more_time(cohere):
    cohere.fault, cohere.seconds = "slow", FAR_SECONDS
    reranker = CohereReranker(access(cohere.url), replace(LIMITS, seconds=0.1))

    with within(0.1):
        failure(lambda: reranker.scores(QUERY, TEXTS, timeout_seconds=FAR_SECONDS))

    reranker.close()


def test_nobody_there_is_a_failure():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        reranker = CohereReranker(access(f"http://127.0.0.1:{unused.getsockname()[1]}"), LIMITS)

        failed = failure(lambda: reranker.scores(QUERY, TEXTS, timeout_seconds=5))
    reranker.close()

    assert (failed.cause, failed.again) == ("ConnectError", True)


def test_a_wrong_key_is_refused_and_not_told(cohere):
    reranker = CohereReranker(access(cohere.url, key="other-key"), LIMITS)

    failed = failure(lambda: reranker.scores(QUERY, TEXTS, timeout_seconds=5))

    assert failed.cause == "status 401"
    assert "other-key" not in repr(access(cohere.url, key="other-key"))
    reranker.close()


@pytest.mark.parametrize("key", ["two words", "line\n", "\u20ac"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_told(key):
    with pytest.raises(InvalidInput) as refused:
        access("https://api.cohere.com", key=key)

    assert "ARCHIVIST_COHERE_API_KEY" in str(refused.value)
    assert key.strip() not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://api.cohere.com", "ftp://127.0.0.1", "api.cohere.com", "http://[::1", "http://10.0.0.1:80", "https://h:port", ""]
)
def test_a_url_that_would_send_texts_in_the_clear_or_nowhere_is_refused(url):
    with pytest.raises(InvalidInput, match="ARCHIVIST_COHERE_BASE_URL"):
        access(url)


@pytest.mark.parametrize("url", ["https://api.cohere.com", "https://gateway.example/cohere", "http://localhost:1", "http://[::1]:1"])
def test_a_gateway_or_loopback_may_take_the_providers_place(url):
    assert access(url).base_url == url


def test_many_threads_get_their_own_answers_over_few_connections(cohere, reranker):
    def ask(number: int) -> tuple[float, ...]:
        return reranker.scores(f"word{number}", [f"word{number}", f"word{number + 1}"], timeout_seconds=5)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(60))) == [(1.0, 0.0)] * 60


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["results", "index", "relevance_score", "meta", "self", "_fields_set", "id"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@trials(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(results=JSON)
def test_no_answer_whatever_raises_anything_else(cohere, reranker, results):
    cohere.fault, cohere.given = GIVEN, answer(results) if isinstance(results, list) else json.dumps(results).encode()

    with suppress(CallFailed):
        (score,) = reranker.scores("x", ["y"], timeout_seconds=5)
        assert math.isfinite(score)
