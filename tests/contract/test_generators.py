"""What every `Generator` promises, whichever vendor's client it speaks through."""

import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import accumulate, cycle, islice, pairwise

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from retrieval.adapters.resilience.failures import CallFailed
from retrieval.bootstrap import open_generators
from retrieval.domain.answers import TokenUsage
from retrieval.domain.errors import ModelUnavailable
from retrieval.domain.sources import Classification
from retrieval.ports.generation import CitedPiece, Finished, GenerationTask, Generator, GroundingPassage, Piece, TextPiece
from retrieval.settings import Settings
from tests.chat_faults import GIVEN, HALVES, SLOW, WRONG
from tests.chat_servers import KEY, Asked, Chat, Said, serving_cohere_chat, serving_openai_chat
from tests.slack import FAR_SECONDS, within

pytestmark = pytest.mark.contract

SERVERS = {"cohere": serving_cohere_chat, "openai": serving_openai_chat}
TASK = GenerationTask(
    prompt="answer@1",
    instructions="Answer from the passages.",
    question="secret question: how many hoists?",
    passages=(GroundingPassage("1", "Hoists", "There are two red hoists."), GroundingPassage("2", "Leave", "Six months.")),
    restated="Only from the passages.",
    max_output_tokens=100,
)
SECRETS = (KEY, "secret question", "Six months", "two red hoists")
FREE = {"model_attempts": 1, "model_breaker_failures": 10**6}
"""Neither retries nor a breaker: what is said is told as it is."""


@pytest.fixture(params=sorted(SERVERS))
def chat(request: pytest.FixtureRequest) -> Iterator[Chat]:
    with SERVERS[request.param]() as chat:
        yield chat


@pytest.fixture
def make(chat: Chat) -> Iterator[Callable[..., Generator]]:
    """Opens the generator with further settings; closed at the end."""
    opened = []

    def make(**settings: object) -> Generator:
        opened.append(open_generators(Settings(**{**chat.settings, **FREE, **settings})))
        return opened[-1].__enter__()[0]

    yield make
    for context in opened:
        context.__exit__(None, None, None)


@pytest.fixture
def generator(make: Callable[..., Generator]) -> Generator:
    return make()


def pieces(generator: Generator, task: GenerationTask = TASK, *, seconds: float = 5.0) -> tuple[Piece, ...]:
    return tuple(generator.generate(task, timeout_seconds=seconds))


def text(of: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in of if isinstance(piece, TextPiece))


def failure(generator: Generator, *, seconds: float = 5.0) -> tuple[CallFailed, list[Piece]]:
    taken: list[Piece] = []
    with pytest.raises(CallFailed) as caught:
        taken.extend(generator.generate(TASK, timeout_seconds=seconds))
    return caught.value, taken


def test_the_text_comes_in_pieces_and_the_end_last(generator):
    said = pieces(generator)

    assert text(said) == "There are two hoists [1]. They are red [1][2]."
    assert sum(isinstance(piece, TextPiece) for piece in said) == 10
    assert said[-1] == Finished(TokenUsage(120, 7), complete=True)
    assert sum(isinstance(piece, Finished) for piece in said) == 1


def test_the_first_words_come_before_the_last_are_said(chat, generator):
    chat.fault, chat.seconds = "half, then silence", FAR_SECONDS

    with within(0), closing(generator.generate(TASK, timeout_seconds=FAR_SECONDS)) as said:
        first = next(said)

    assert isinstance(first, TextPiece)


def test_what_leaves_is_the_task_and_nothing_else(chat, generator):
    asked: list[Asked] = []
    chat.says = lambda seen: asked.append(seen) or Said("Two.")

    pieces(generator)

    (request,), (seen,) = chat.requests, asked
    for part in (TASK.question, TASK.restated):
        assert part in seen.user
    assert seen.system == TASK.instructions
    assert [seen.passages.find(part) >= 0 for part in ("[1] Hoists\nThere are", "[2] Leave\nSix months.")] == [True, True]
    assert {name.lower() for name in request.headers} <= {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
        "authorization",
        "content-type",
        "content-length",
    }
    assert not {"tools", "functions", "tool_choice"} & set(request.body)
    assert 100 in (request.body.get("max_tokens"), request.body.get("max_completion_tokens"))


def test_what_no_encoding_can_write_is_replaced_there_and_here(chat, generator):
    chat.says = lambda seen: Said(f"Two \ud800 of {seen.system}")
    odd = GenerationTask("p@1", "a\udfffb", "\ud800?", (GroundingPassage("1", "\ud800", "\ud800"),), "\ud800", 10)

    assert text(pieces(generator, odd)) == "Two \ufffd of a\ufffdb"


def test_an_output_that_was_cut_says_so(chat, generator):
    for ended in ("MAX_TOKENS", "length", "content_filter", "TOOL_CALL", "tool_calls"):
        chat.says = lambda _seen, ended=ended: Said("Two", ended=ended)
        assert pieces(generator)[-1] == Finished(TokenUsage(120, 7), complete=False)


@pytest.mark.parametrize("count", [-1, float("nan"), float("inf"), 1e30, None])
def test_a_count_of_tokens_that_is_none_is_nought(chat, generator, count):
    chat.says = lambda _seen: Said("Two.", input_tokens=count, output_tokens=count)

    assert pieces(generator)[-1] == Finished(TokenUsage(0, 0), complete=True)


@pytest.mark.parametrize("fault", sorted(WRONG))
def test_whatever_goes_wrong_is_a_failure_that_tells_nothing(chat, make, caplog, fault):
    chat.fault = fault
    generator = make(generator_max_response_bytes=100_000)
    caplog.set_level(logging.DEBUG)

    failed, taken = failure(generator)

    shown = "".join(traceback.format_exception(failed)) + repr(failed) + caplog.text + repr(vars(failed))
    assert chat.fired == {fault: 1}
    assert not [secret for secret in SECRETS if secret in shown]
    assert failed.__context__ is None
    assert bool(text(taken)) == (fault in HALVES)
    assert not any(isinstance(piece, Finished) for piece in taken)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("500", {"again": True}),
        ("503", {"again": True}),
        ("reset", {"again": True}),
        ("empty", {"again": True}),
        ("429", {}),
        ("429 with Retry-After", {"rest_seconds": 7.0}),
        ("401", {}),
        ("404", {}),
        ("redirect", {}),
        ("no JSON", {}),
        ("wrong content type", {}),
        ("400", {"unhealthy": False}),
    ],
)
def test_a_failure_says_what_its_guard_needs_to_know(chat, generator, fault, says):
    chat.fault = fault

    failed, _ = failure(generator)

    found = {"again": failed.again, "unhealthy": failed.unhealthy, "rest_seconds": failed.rest_seconds}
    assert found == {"again": False, "unhealthy": True, "rest_seconds": 0.0, **says}


def test_texts_are_not_sent_where_a_redirect_leads(chat, generator):
    chat.fault = "redirect"

    failure(generator)

    assert len(chat.requests) == 1


@pytest.mark.parametrize("fault", ["huge", "endless", "half, then huge"])
def test_of_an_answer_without_end_no_more_is_read_than_allowed(chat, make, fault):
    chat.fault = fault

    failed, _ = failure(make(generator_max_response_bytes=50_000))
    time.sleep(0.1)

    assert "50000 bytes" in failed.cause
    assert chat.huge_bytes < 10_000_000  # what lies in the buffers of the connection, of 655 million


@pytest.mark.parametrize("fault", sorted(SLOW))
def test_at_the_deadline_the_call_is_over_here_and_there(chat, generator, fault):
    chat.fault, chat.seconds = fault, FAR_SECONDS

    with within(0.3):
        failed, _ = failure(generator, seconds=0.3)

    assert failed.cause == "no answer in time"
    wait_until(lambda: chat.given_up == 1)


@pytest.mark.parametrize("fault", sorted(SLOW - HALVES))
def test_its_first_words_have_a_deadline_of_their_own(chat, make, fault):
    chat.fault, chat.seconds = fault, FAR_SECONDS

    with within(0.2):
        failed, _ = failure(make(generator_first_token_seconds=0.2), seconds=FAR_SECONDS)

    assert failed.cause == "no answer in time"


def test_its_own_limit_holds_where_the_caller_has_more_time(chat, make):
    chat.fault = "murmuring"

    with within(0.3):
        failure(make(generator_timeout_seconds=0.3), seconds=FAR_SECONDS)


@pytest.mark.parametrize("fault", ["murmuring", "half, then silence"])
def test_whoever_leaves_ends_the_call_here_and_there(chat, generator, fault):
    chat.fault, chat.seconds = fault, 30.0
    threads = threading.active_count()

    for _ in range(5):
        with closing(generator.generate(TASK, timeout_seconds=30)) as said:
            next(said)

    wait_until(lambda: chat.given_up == 5, seconds=1)
    wait_until(lambda: threading.active_count() <= threads + 1, seconds=1)  # the caller's loop
    chat.fault = "right"
    assert text(pieces(generator))


def test_nothing_is_sent_before_the_first_piece_is_asked_for(chat, generator):
    said = generator.generate(TASK, timeout_seconds=5)

    assert chat.requests == []
    next(said)
    assert len(chat.requests) == 1
    said.close()


def test_without_time_it_is_unavailable(chat, generator):
    with pytest.raises(ModelUnavailable):
        pieces(generator, seconds=0)

    assert chat.requests == []


def test_nobody_there_is_a_failure(chat, make):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}"
        failed, _ = failure(make(cohere_base_url=nowhere, openai_base_url=nowhere))

    assert (failed.cause, failed.again) == ("ConnectError", True)


def test_a_wrong_key_is_refused_and_not_told(chat, make):
    failed, _ = failure(make(cohere_api_key="other-key", openai_api_key="other-key"))

    assert failed.cause == "status 401"
    assert "other-key" not in repr(Settings(cohere_api_key="other-key", openai_api_key="other-key"))


@pytest.mark.permissions
@pytest.mark.parametrize("classification", list(Classification))
def test_what_it_may_be_shown_is_set(make, classification):
    generator = make(cohere_max_classification=classification.value, openai_max_classification=classification.value)

    assert generator.most_sensitive is classification
    assert "/" in generator.name


def test_many_threads_get_their_own_answers(chat, generator):
    chat.says = lambda seen: Said(f"Answer to {seen.user.split()[0]}")

    def ask(number: int) -> str:
        return text(pieces(generator, GenerationTask("p@1", "s", f"{number}", TASK.passages, "r", 10)))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(60))) == [f"Answer to {number}" for number in range(60)]


def test_labels_that_were_not_given_and_words_that_were_not_said_are_cited_by_nothing(chat, generator):
    chat.says = lambda _seen: Said("Two.", [(0, 3, ["99"]), (0, 99, ["1"]), (3, 3, ["1"]), (2, 1, ["1"]), (-2, 3, ["1"])])

    said = pieces(generator)

    assert text(said) == "Two."
    assert not any(isinstance(piece, CitedPiece) for piece in said)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@trials(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=6))
def test_however_the_bytes_are_cut_the_pieces_are_the_same(chat, generator, line_end, sizes):
    chat.says, chat.fault = lambda _seen: Said("Zwölf 🏗 für 5 €.", [(0, 5, ["1"])]), "right"
    expected = pieces(generator)
    whole = b"".join(chat.events(chat.requests[-1].body)).replace(b"\n", line_end)
    cuts = accumulate(islice(cycle(sizes), len(whole)))

    chat.fault, chat.given = GIVEN, [piece for start, end in pairwise([0, *cuts]) if (piece := whole[start:end])]

    assert text(expected) == "Zwölf 🏗 für 5 €."
    assert pieces(generator) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["message", "content", "text", "citations", "sources", "start", "end", "id", "delta", "usage", "tokens", "finish_reason"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["message-start", "content-start", "content-delta", "citation-start", "message-end", "debug"]) | JSON,
        "index": JSON,
        "delta": JSON | st.fixed_dictionaries({"message": st.fixed_dictionaries({"content": JSON, "citations": JSON})}),
        "choices": JSON | st.lists(st.fixed_dictionaries({"delta": JSON, "finish_reason": JSON}), max_size=2),
        "usage": JSON,
        "error": JSON,
        "object": JSON,
        "self": JSON,
    },
)


@trials(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENT, max_size=4))
def test_no_events_whatever_raise_anything_else_or_are_written_down(chat, generator, caplog, events):
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    chat.fault = GIVEN
    chat.given = [b"data: " + json.dumps({**event, "canary": "secret question"}).encode() + b"\n\n" for event in events]

    with suppress(CallFailed):
        said = pieces(generator)
        assert all(isinstance(piece.text, str) and piece.text for piece in said if isinstance(piece, TextPiece))
        assert isinstance(said[-1], Finished)

    assert "secret question" not in caplog.text


def wait_until(holds: Callable[[], bool], *, seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    assert holds()
