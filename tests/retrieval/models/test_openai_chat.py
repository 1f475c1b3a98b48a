import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from retrieval.adapters.models.chat_stream import ChatLimits
from retrieval.adapters.models.openai_chat import OpenAIAccess, OpenAIGenerator
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.domain.answers import TokenUsage
from retrieval.domain.errors import InvalidInput
from retrieval.domain.sources import Classification
from retrieval.ports.generation import Finished, GenerationTask, GroundingPassage, Piece, TextPiece
from tests.chat_faults import GIVEN
from tests.chat_servers import KEY, OpenAIChat, serving_openai_chat

LIMITS = ChatLimits(first_seconds=5.0, seconds=5.0, response_bytes=1_000_000, temperature=0.25)
TASK = GenerationTask(
    "answer@1",
    "Answer.",
    "How many hoists?",
    (GroundingPassage("1", "Hoists", "There are two."), GroundingPassage("2", "Colours", "Red.")),
    "Only from the passages.",
    100,
)


@pytest.fixture
def chat() -> Iterator[OpenAIChat]:
    with serving_openai_chat() as chat:
        yield chat


@pytest.fixture
def make(chat: OpenAIChat) -> Iterator[Callable[..., OpenAIGenerator]]:
    made: list[OpenAIGenerator] = []

    def make(**changed: object) -> OpenAIGenerator:
        made.append(OpenAIGenerator(access(**{"base_url": f"{chat.url}/v1", **changed}), LIMITS))
        return made[-1]

    yield make
    for generator in made:
        generator.close()


def access(**changed: object) -> OpenAIAccess:
    return OpenAIAccess(
        **{"model": "m", "key": KEY, "base_url": "https://api.openai.com/v1", "most_sensitive": Classification.INTERNAL, **changed}
    )


def pieces(generator: OpenAIGenerator) -> tuple[Piece, ...]:
    return tuple(generator.generate(TASK, timeout_seconds=5))


def give(chat: OpenAIChat, *events: dict[str, Any], end: bytes = b"data: [DONE]\n\n") -> None:
    chat.fault, chat.given = GIVEN, [*(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events), end]


def chunk(delta: dict[str, Any], ended: str | None = None, **more: object) -> dict[str, Any]:
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", **more} | {
        "choices": [{"index": 0, "delta": delta, "finish_reason": ended}]
    }


def test_passages_stand_in_the_users_part_each_under_its_label(chat, make):
    pieces(make())

    (request,) = chat.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Answer."},
            {
                "role": "user",
                "content": "How many hoists?\n\n[1] Hoists\nThere are two.\n\n[2] Colours\nRed.\n\nOnly from the passages.",
            },
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 100,
        "temperature": 0.25,
        "store": False,
    }


def test_servers_that_do_not_know_store_are_not_told_of_it(chat, make):
    pieces(make(sends_store=False))

    assert "store" not in chat.requests[0].body


def test_a_reasoning_model_gets_its_own_limit_and_no_temperature(chat, make):
    pieces(make(reasoning=True))

    body = chat.requests[0].body
    assert body["max_completion_tokens"] == 100
    assert not {"temperature", "max_tokens"} & set(body)


def test_without_a_key_none_is_sent(chat, make, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "another-key")

    with pytest.raises(CallFailed, match="status 401"):
        pieces(make(key=""))

    assert "Authorization" not in chat.requests[0].headers


def test_nothing_of_the_environment_leaves_or_decides_where_to(chat, make, monkeypatch):
    for name, value in {
        "OPENAI_API_KEY": "another-key",
        "OPENAI_BASE_URL": "http://127.0.0.1:1",
        "OPENAI_ORG_ID": "org-canary",
        "OPENAI_PROJECT_ID": "project-canary",
        "OPENAI_CUSTOM_HEADERS": "X-Canary: canary\nAuthorization: Bearer canary",
        "HTTP_PROXY": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)

    pieces(make())

    (request,) = chat.requests
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert "canary" not in repr(request)


def test_marks_in_the_text_are_handed_on_as_they_are(chat, make):
    give(chat, chunk({"content": "Two [1"}), chunk({"content": "]. <b>"}, "stop"))

    assert pieces(make()) == (TextPiece("Two [1"), TextPiece("]. <b>"), Finished(TokenUsage(), complete=True))


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(b"", id="without its mark"),
        pytest.param(b": done\n\ndata: [DONE]\n\n", id="after a comment"),
        pytest.param(b"data: [DONE]\r\n\r\n", id="with other line ends"),
        pytest.param(b"data:[DONE]\n\n", id="without a space"),
    ],
)
def test_servers_end_their_answers_in_different_ways(chat, make, end):
    give(chat, chunk({"role": "assistant"}), chunk({"content": "Two."}), chunk({}, "stop"), end=end)

    assert pieces(make()) == (TextPiece("Two."), Finished(TokenUsage(), complete=True))


def test_a_count_of_tokens_may_come_with_the_end_or_after_it(chat, make):
    give(chat, chunk({"content": "Two."}, "stop", usage={"prompt_tokens": 9, "completion_tokens": 2}))
    assert pieces(make())[-1] == Finished(TokenUsage(9, 2), complete=True)

    give(chat, chunk({"content": "Two."}, "stop"), {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}})
    assert pieces(make())[-1] == Finished(TokenUsage(9, 2), complete=True)


def test_an_answer_that_breaks_off_is_a_failure(chat, make):
    give(chat, chunk({"content": "Two."}))

    with pytest.raises(CallFailed, match="breaks off"):
        pieces(make())


@pytest.mark.parametrize("content", [["not"], 7, {"text": "not"}, False])
def test_a_text_that_cannot_be_read_is_not_passed_over(chat, make, content):
    give(chat, chunk({"content": "It is "}), chunk({"content": content}), chunk({"content": "so."}, "stop"))

    with pytest.raises(CallFailed):
        pieces(make())


@pytest.mark.parametrize("event", [b'["not"]', b"null", b"7"])
def test_an_event_that_is_no_object_is_not_passed_over(chat, make, event):
    give(chat, chunk({"content": "It is "}), end=b"")
    chat.given += [b"data: " + event + b"\n\n", b"data: " + json.dumps(chunk({"content": "so."}, "stop")).encode() + b"\n\n"]

    with pytest.raises(CallFailed):
        pieces(make())


def test_what_it_thinks_calls_or_refuses_is_no_answer(chat, make):
    call = {"tool_calls": [{"index": 0, "id": "x", "type": "function", "function": {"name": "delete", "arguments": "{}"}}]}
    give(chat, chunk({"reasoning_content": "Hm"}), chunk({"refusal": "No."}), chunk(call), chunk({}, "tool_calls"))

    assert pieces(make()) == (Finished(TokenUsage(), complete=False),)


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1:8000/v1", "http://gateway.example/v1", "ftp://127.0.0.1/v1", "api.openai.com", "http://[::1", "https://h:p", ""],
)
def test_a_url_that_would_send_texts_in_the_clear_or_nowhere_is_refused(url):
    with pytest.raises(InvalidInput, match="ARCHIVIST_OPENAI_BASE_URL"):
        access(base_url=url)


def test_a_host_of_the_companys_own_may_be_spoken_to_in_the_clear_where_that_is_set():
    assert access(base_url="http://10.0.0.1:8000/v1", in_the_clear=True)
    for url in ("ftp://10.0.0.1/v1", "http://"):
        with pytest.raises(InvalidInput, match="ARCHIVIST_OPENAI_BASE_URL"):
            access(base_url=url, in_the_clear=True)


@pytest.mark.parametrize(
    "url", ["https://api.openai.com/v1", "http://localhost:11434/v1", "http://127.0.0.1:8000/v1/", "http://[::1]:1/v1"]
)
def test_the_provider_or_this_machine_may_be_spoken_to(url):
    assert access(base_url=url).base_url == url


@pytest.mark.parametrize("key", ["two words", "line\n", "\u20ac"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_told(key):
    with pytest.raises(InvalidInput) as refused:
        access(key=key)

    assert "ARCHIVIST_OPENAI_API_KEY" in str(refused.value)
    assert key.strip() not in str(refused.value)


def test_a_model_is_needed():
    with pytest.raises(InvalidInput, match="ARCHIVIST_OPENAI_MODEL"):
        access(model="")


def test_the_key_is_not_shown():
    assert KEY not in repr(access())
