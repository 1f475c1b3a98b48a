import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from retrieval.adapters.models.chat_stream import ChatLimits
from retrieval.adapters.models.cohere_access import CohereAccess
from retrieval.adapters.models.cohere_chat import CohereGenerator
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.domain.sources import Classification
from retrieval.ports.generation import CitedPiece, Finished, GenerationTask, GroundingPassage, Piece, TextPiece
from tests.chat_faults import GIVEN
from tests.chat_servers import KEY, CohereChat, Said, serving_cohere_chat

LIMITS = ChatLimits(first_seconds=5.0, seconds=5.0, response_bytes=1_000_000, temperature=0.0)
TASK = GenerationTask(
    "answer@1",
    "Answer.",
    "How many hoists?",
    (GroundingPassage("1", "Hoists", "There are two."), GroundingPassage("2", "Colours", "Red.")),
    "Only from the passages.",
    100,
)
END = {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}


@pytest.fixture
def chat() -> Iterator[CohereChat]:
    with serving_cohere_chat() as chat:
        yield chat


@pytest.fixture
def generator(chat: CohereChat) -> Iterator[CohereGenerator]:
    generator = CohereGenerator(CohereAccess("command-x", KEY, chat.url, Classification.INTERNAL), LIMITS)
    yield generator
    generator.close()


def pieces(generator: CohereGenerator) -> tuple[Piece, ...]:
    return tuple(generator.generate(TASK, timeout_seconds=5))


def give(chat: CohereChat, *events: dict[str, Any]) -> None:
    chat.fault, chat.given = GIVEN, [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]


def text(said: str, index: int = 0) -> dict[str, Any]:
    return {"type": "content-delta", "index": index, "delta": {"message": {"content": {"text": said}}}}


def begin(index: int, kind: str = "text") -> dict[str, Any]:
    return {"type": "content-start", "index": index, "delta": {"message": {"content": {"type": kind, kind: ""}}}}


def cite(start: int, end: int, labels: Sequence[str] = ("1",), **more: object) -> dict[str, Any]:
    sources = [{"type": "document", "id": label, "document": {"id": label}} for label in labels]
    return {
        "type": "citation-start",
        "index": 0,
        "delta": {"message": {"citations": {"start": start, "end": end, "sources": sources, **more}}},
    }


def test_passages_are_its_documents_and_the_instructions_its_system_part(chat, generator):
    pieces(generator)

    (request,) = chat.requests
    assert request.path == "/v2/chat"
    assert request.body == {
        "model": "command-x",
        "messages": [
            {"role": "system", "content": "Answer."},
            {"role": "user", "content": "How many hoists?\n\nOnly from the passages."},
        ],
        "documents": [
            {"id": "1", "data": {"title": "Hoists", "text": "There are two."}},
            {"id": "2", "data": {"title": "Colours", "text": "Red."}},
        ],
        "citation_options": {"mode": "FAST"},
        "max_tokens": 100,
        "temperature": 0.0,
        "stream": True,
    }


def test_its_citations_follow_what_they_cite(generator):
    said = pieces(generator)

    whole = "".join(piece.text for piece in said if isinstance(piece, TextPiece))
    cited = [piece for piece in said if isinstance(piece, CitedPiece)]
    assert [(whole[piece.start : piece.end], piece.labels) for piece in cited] == [("two hoists", ("1",)), ("red", ("1", "2"))]
    for number, piece in enumerate(said):
        if isinstance(piece, CitedPiece):
            assert sum(len(before.text) for before in said[:number] if isinstance(before, TextPiece)) >= piece.end


def test_a_citation_of_a_second_text_is_counted_from_the_beginning_of_all(chat, generator):
    give(chat, begin(0), text("Two. "), begin(1), text("Red.", 1), cite(0, 3, content_index=1), cite(0, 3, content_index=0), END)

    assert [piece for piece in pieces(generator) if isinstance(piece, CitedPiece)] == [CitedPiece(5, 8, ("1",)), CitedPiece(0, 3, ("1",))]


def test_what_it_thinks_is_no_answer_and_its_citations_are_none(chat, generator):
    thought = {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"thinking": "Let me see"}}}}
    give(
        chat,
        begin(0, "thinking"),
        thought,
        begin(1),
        text("Two.", 1),
        cite(0, 3, type="THINKING_CONTENT"),
        cite(0, 3, content_index=1, type="TEXT_CONTENT"),
        END,
    )

    assert pieces(generator)[:-1] == (TextPiece("Two."), CitedPiece(0, 3, ("1",)))


@pytest.mark.parametrize(
    "citation",
    [
        pytest.param(cite(0, 5), id="more than was said"),
        pytest.param(cite(-1, 3), id="from before the beginning"),
        pytest.param(cite(3, 3), id="nothing"),
        pytest.param(cite(3, 1), id="backwards"),
        pytest.param(cite(0, 3, ["7"]), id="a passage that was not given"),
        pytest.param(cite(0, 3, []), id="no passage"),
        pytest.param({"type": "citation-start"}, id="no citation"),
    ],
)
def test_what_cites_nothing_is_left_out(chat, generator, citation):
    give(chat, begin(0), text("Two."), citation, END)

    assert [type(piece) for piece in pieces(generator)] == [TextPiece, Finished]


def test_of_a_citations_labels_those_that_were_given_stay_each_once(chat, generator):
    give(chat, begin(0), text("Two."), cite(0, 3, ["2", "7", "1", "2"]), END)

    assert pieces(generator)[1] == CitedPiece(0, 3, ("2", "1"))


def test_events_of_a_kind_to_come_are_passed_over_in_silence(chat, generator, caplog):
    caplog.set_level(logging.DEBUG)
    give(chat, {"type": "telepathy", "delta": {"secret": "question"}}, begin(0), text("Two."), END)

    assert [type(piece) for piece in pieces(generator)] == [TextPiece, Finished]
    assert "question" not in caplog.text


@pytest.mark.parametrize("bad", [text(["not"]), {"type": "content-delta", "delta": {"message": "not"}}])
def test_a_text_that_cannot_be_read_is_not_passed_over(chat, generator, bad):
    give(chat, begin(0), text("It is "), bad, text("so."), END)
    taken: list[Piece] = []

    with pytest.raises(CallFailed):
        taken.extend(generator.generate(TASK, timeout_seconds=5))

    assert not any(isinstance(piece, Finished) for piece in taken)


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT", None])
def test_an_answer_that_the_model_broke_off_is_a_failure(chat, generator, reason):
    give(chat, begin(0), text("Two."), {"type": "message-end", "delta": {"finish_reason": reason, "error": "secret question"}})

    with pytest.raises(CallFailed) as failed:
        pieces(generator)

    assert "question" not in str(failed.value)


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"billed_units": {"input_tokens": 12, "output_tokens": 3}, "tokens": {"input_tokens": 507, "output_tokens": 9}}, (12, 3)),
        ({"tokens": {"input_tokens": 507.0, "output_tokens": 9.0}}, (507, 9)),
        ({}, (0, 0)),
        (None, (0, 0)),
    ],
)
def test_tokens_are_those_that_are_paid_for(chat, generator, usage, counted):
    give(chat, {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}})

    (end,) = pieces(generator)

    assert isinstance(end, Finished)
    assert (end.usage.input_tokens, end.usage.output_tokens) == counted


def test_careful_citations_can_be_asked_for(chat):
    generator = CohereGenerator(CohereAccess("command-x", KEY, chat.url, Classification.INTERNAL), LIMITS, citations="ACCURATE")
    chat.says = lambda _asked: Said("Two.")

    pieces(generator)
    generator.close()

    assert chat.requests[0].body["citation_options"] == {"mode": "ACCURATE"}
