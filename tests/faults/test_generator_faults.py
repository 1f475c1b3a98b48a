"""R8, R13, R15 for models that word answers: down, slow or wrong, every request ends in its time, and whole, broken off or unsaid.

`ARCHIVIST_TEST_GENERATIONS` sets how many requests are made in all (2,000 in the long form; 400 without it).
"""

import logging
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from retrieval.bootstrap import open_generators
from retrieval.domain.sources import Classification
from retrieval.ports.generation import GenerationTask, Generator, GroundingPassage, TextPiece
from retrieval.settings import Settings
from retrieval.steps.generate import generate
from tests.chat_faults import HALVES, SLOW, WRONG
from tests.chat_servers import KEY, Asked, Chat, Said, sensible, serving_cohere_chat, serving_openai_chat
from tests.slack import FAR_SECONDS, SLACK_SECONDS, within

REQUESTS = int(os.environ.get("ARCHIVIST_TEST_GENERATIONS", "400"))
DEADLINE_SECONDS = 30.0
"""More than anything here needs, however busy the machine is."""
TASK = GenerationTask(
    "answer@1", "Answer.", "secret question", (GroundingPassage("1", "Hoists", "two red hoists"),), "Only from the passages.", 100
)
SECRETS = (KEY, "secret question", "two red hoists")
TEXT = sensible(Asked("", "", "")).text
BARE = {"model_breaker_failures": 10**6, "model_attempts": 1, "generator_max_response_bytes": 50_000}
"""No breaker and no pause, so that every request meets its fault."""
SERVERS = {"cohere": serving_cohere_chat, "openai": serving_openai_chat}
NAMES = {"cohere": "cohere/command-a-03-2025", "openai": "openai/any-model"}


@dataclass(frozen=True)
class Outcome:
    """What became of a request; `text`: all that was handed on."""

    text: str
    by: str | None
    failed: tuple[str, ...]
    whole: bool


@pytest.fixture(params=sorted(SERVERS))
def chat(request: pytest.FixtureRequest) -> Iterator[Chat]:
    with SERVERS[request.param]() as chat:
        yield chat


@contextmanager
def generating(*chats: Chat, **settings: object) -> Iterator[tuple[Generator, ...]]:
    together = {name: value for chat in chats for name, value in chat.settings.items()}
    together["generators"] = ",".join(chat.settings["generators"] for chat in chats)
    with open_generators(Settings(**{**together, **settings})) as generators:
        yield generators


def name(chat: Chat) -> str:
    return NAMES[chat.settings["generators"]]


def ask(generators: Sequence[Generator], *, seconds: float = DEADLINE_SECONDS) -> tuple[Outcome, float]:
    begun = time.monotonic()
    asked = generate(TASK, generators, timeout_seconds=seconds, sensitivities=[Classification.PUBLIC])
    said = "".join(piece.text for piece in asked.pieces() if isinstance(piece, TextPiece))
    return Outcome(said, asked.by, asked.failed, asked.finished is not None), time.monotonic() - begun


def test_whatever_a_provider_answers_a_request_ends_whole_broken_off_or_unsaid(chat: Chat, caplog: pytest.LogCaptureFixture):
    draw, requests = random.Random(8), REQUESTS // 2
    faults = [fault for fault in WRONG if fault != "429 with Retry-After"]
    chat.script = [*faults, *(draw.choice([*faults, "right"]) for _ in range(requests - len(faults)))]
    expected = Counter(chat.script)
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines, generating(chat, **BARE) as generators, ThreadPoolExecutor(4) as pool:
        answered = list(pool.map(lambda _: ask(generators), range(requests)))

    halves = sum(count for fault, count in expected.items() if fault in HALVES)
    outcomes = Counter((outcome.by, outcome.failed, outcome.whole) for outcome, _ in answered)
    assert chat.fired == expected
    assert outcomes == {
        (name(chat), (), True): expected["right"],
        (name(chat), (name(chat),), False): halves,
        (None, (name(chat),), False): requests - expected["right"] - halves,
    }
    assert all(outcome.text == TEXT for outcome, _ in answered if outcome.whole)
    assert all(TEXT.startswith(outcome.text[:5]) for outcome, _ in answered)
    assert max(seconds for _, seconds in answered) < SLACK_SECONDS, "nobody waits for the deadline"
    assert not [secret for secret in SECRETS if secret in caplog.text + repr(lines)]


@pytest.mark.parametrize("fault", sorted(SLOW))
def test_however_slow_a_provider_is_the_deadline_holds_and_nothing_goes_on_after_it(chat: Chat, fault: str):
    """Slower than its deadline by nothing to ten times, drawn; each request by itself."""
    draw, deadline = random.Random(13), 0.1
    with generating(chat, **BARE) as generators:
        before = open_files(), threading.active_count()
        for slowness in (FAR_SECONDS, *(draw.uniform(0, 10) * deadline for _ in range(max(4, REQUESTS // 100)))):
            chat.fault, chat.seconds = fault, slowness
            outcome, seconds = ask(generators, seconds=deadline)
            assert seconds < deadline + SLACK_SECONDS
            assert outcome.whole == (outcome.failed == ())
        wait_until(lambda: threading.active_count() <= before[1] + 1)
        wait_until(lambda: open_files() <= before[0] + 2)


def test_whoever_leaves_an_answer_leaves_nothing_behind(chat: Chat):
    chat.fault = "murmuring"
    with generating(chat, **BARE) as generators:
        before = open_files(), threading.active_count()
        for _ in range(20):
            asked = generate(TASK, generators, timeout_seconds=30, sensitivities=[])
            with closing(asked.pieces()) as pieces:
                next(pieces)
        wait_until(lambda: chat.given_up == 20)
        wait_until(lambda: threading.active_count() <= before[1] + 1)
        wait_until(lambda: open_files() <= before[0] + 2)


def test_a_provider_that_is_down_costs_the_requests_after_the_first_ones_nothing(chat: Chat):
    chat.fault, chat.seconds = "slow", FAR_SECONDS
    with generating(chat) as generators:
        first = [ask(generators, seconds=0.1) for _ in range(5)]
        with within(0):
            later = [ask(generators, seconds=0.1) for _ in range(1000)]

    assert chat.fired["slow"] == 5
    assert {outcome for outcome, _ in first + later} == {Outcome("", None, (name(chat),), whole=False)}


def test_a_provider_that_fails_is_called_at_most_a_tenth_more_than_it_is_needed(chat: Chat):
    """R15, without the breaker's help."""
    chat.fault = "500"
    with generating(chat, model_breaker_failures=10**6, model_retry_pause_seconds=0.002, model_attempts=4) as generators:
        for _ in range(300):
            ask(generators)

    assert 320 <= len(chat.requests) <= 330


def test_a_provider_that_asks_for_rest_is_not_called_again(chat: Chat):
    chat.fault = "429 with Retry-After"
    with generating(chat, model_breaker_open_seconds=0.01) as generators:
        for _ in range(50):
            ask(generators)
        time.sleep(0.05)
        ask(generators)

    assert chat.fired == {"429 with Retry-After": 1}


def test_one_failure_in_between_is_not_even_noticed(chat: Chat):
    with generating(chat, model_retry_pause_seconds=0.002) as generators:
        for _ in range(20):
            ask(generators)
        chat.script = ["500"]

        outcome, _ = ask(generators)

    assert outcome == Outcome(TEXT, name(chat), (), whole=True)
    assert chat.fired["500"] == 1


def test_a_provider_that_is_up_again_is_found_by_one_request(chat: Chat):
    """R16, over the wire."""
    chat.fault = "500"
    with generating(chat, model_breaker_open_seconds=0.5, model_attempts=1) as generators:
        for _ in range(10):
            ask(generators)
        calls, chat.fault = len(chat.requests), "right"
        time.sleep(0.51)
        up = [ask(generators)[0] for _ in range(10)]

    assert calls == 5
    assert Counter(up) == {Outcome(TEXT, name(chat), (), whole=True): 10}


@pytest.mark.parametrize("fault", ["500", "slow", "garbage", "reset", "nothing said"])
def test_where_the_first_fails_the_next_words_the_answer_in_what_time_is_left(fault: str):
    with serving_cohere_chat() as first, serving_openai_chat() as second:
        first.fault, first.seconds = fault, FAR_SECONDS
        second.says = lambda _asked: Said("From the second.")
        with generating(first, second, generator_first_token_seconds=2, **BARE) as generators:
            answered = [ask(generators) for _ in range(2)]

    assert {outcome for outcome, _ in answered} == {Outcome("From the second.", NAMES["openai"], (NAMES["cohere"],), whole=True)}
    assert max(seconds for _, seconds in answered) < 2 + SLACK_SECONDS


@pytest.mark.parametrize("fault", sorted(HALVES - SLOW - {"endless"}))
def test_where_the_first_breaks_off_no_other_goes_on_for_it(fault: str):
    with serving_openai_chat() as first, serving_cohere_chat() as second:
        first.fault = fault
        with generating(first, second, **BARE) as generators:
            outcome, _ = ask(generators)

    assert outcome.by == NAMES["openai"]
    assert (outcome.failed, outcome.whole, second.requests) == ((NAMES["openai"],), False, [])
    assert 0 < len(outcome.text) < len(TEXT)


@pytest.mark.permissions
def test_a_provider_that_may_not_be_shown_a_passage_is_sent_nothing():
    allowed = {"cohere_max_classification": "internal", "openai_max_classification": "restricted"}
    with serving_cohere_chat() as elsewhere, serving_openai_chat() as here, generating(elsewhere, here, **allowed) as generators:
        asked = generate(
            TASK,
            generators,
            timeout_seconds=5,
            sensitivities=[Classification.PUBLIC, Classification.CONFIDENTIAL, Classification.PUBLIC],
        )
        said = "".join(piece.text for piece in asked.pieces() if isinstance(piece, TextPiece))

    assert (said, asked.by, asked.failed) == (TEXT, NAMES["openai"], ())
    assert elsewhere.requests == []


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def wait_until(holds: Callable[[], bool], *, seconds: float = SLACK_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    assert holds()
