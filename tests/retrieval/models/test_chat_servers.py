"""The servers that stand in for paid models speak as their vendors' own clients expect."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from cohere.core.pydantic_utilities import parse_obj_as
from cohere.core.unchecked_base_model import UncheckedBaseModel
from cohere.v2.types.v2chat_stream_response import V2ChatStreamResponse
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel

from tests.chat_servers import CohereChat, OpenAIChat

COHERE = {
    "messages": [{"role": "user", "content": "x"}],
    "documents": [{"id": label, "data": {"title": "t", "text": "x"}} for label in "12"],
}
OPENAI = {"messages": [{"role": "user", "content": "x"}], "stream_options": {"include_usage": True}}


def data(events: Sequence[bytes]) -> list[Any]:
    assert events[-1] == b"data: [DONE]\n\n"
    return [json.loads(event.partition(b"data: ")[2]) for event in events[:-1]]


def unknown(model: BaseModel) -> set[str]:
    """Names that the client's type does not know, at any depth."""
    found = set(model.model_extra or ())
    for value in vars(model).values():
        for inner in value if isinstance(value, list) else [value]:
            found |= unknown(inner) if isinstance(inner, BaseModel) else set()
    return found


def test_every_event_of_coheres_is_one_that_its_client_knows():
    events = data(CohereChat().events(COHERE))
    read = [parse_obj_as(V2ChatStreamResponse, event) for event in events]

    assert {type(event).__name__.partition("V2")[0] for event in read} == {
        "MessageStart",
        "ContentStart",
        "ContentDelta",
        "CitationStart",
        "CitationEnd",
        "ContentEnd",
        "MessageEnd",
    }
    assert {type(event).__base__ for event in read} == {UncheckedBaseModel}
    assert set().union(*map(unknown, read)) == set()
    for event in read:
        type(event).model_validate(event.model_dump())


def test_every_event_of_openais_is_one_that_its_client_knows():
    read = [ChatCompletionChunk.model_validate(event) for event in data(OpenAIChat().events(OPENAI))]

    assert set().union(*map(unknown, read)) == set()
    assert [chunk.choices[0].finish_reason for chunk in read if chunk.choices][-1] == "stop"
    assert read[-1].usage is not None


@pytest.mark.parametrize("chat", [CohereChat(), OpenAIChat()])
def test_the_text_is_said_in_pieces(chat):
    assert "".join(chat.pieces("0123456789ab")) == "0123456789ab"
    assert len(chat.events(COHERE)) > 10
