"""POST /answer and /answer/stream: an answer whose every sentence is cited, an abstention, or an escalation."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from api.declared import CONTENT
from api.dependencies import Caller, Parts, Wired
from api.errors import problem_for, request_id_of
from api.queries import query_of
from api.responses.answers import AnswerResponse, SentenceEvent
from api.responses.moments import AsOfOut
from api.schemas import AnswerRequest
from api.streaming import ERROR, EVENT_STREAM, Event, event_stream
from api.timings import report_timings
from retrieval.domain.answers import Answer
from retrieval.domain.queries import Query

SENTENCE, ANSWER = "sentence", "answer"
_EVENT = {
    "type": "object",
    "properties": {"event": {"enum": [SENTENCE, ANSWER, ERROR]}, "data": {"type": "string", "description": "JSON."}},
    "required": ["event", "data"],
}
_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {EVENT_STREAM: {"schema": _EVENT}},
        "description": "Server-sent events: `sentence` for each sentence as it is verified, with its citations; then `answer`, the same "
        "body as `POST /answer`, which has the last word; `error` with a problem in place of what cannot follow.",
    }
}

router = APIRouter(route_class=CONTENT, tags=["knowledge"])


@router.post("/answer", summary="An answer made of what you may read")
def answer(body: AnswerRequest, caller: Caller, parts: Wired, request: Request, response: Response) -> AnswerResponse:
    """Sentences that stand on documents you may read, each with its citation; or an abstention or an escalation that says why."""
    query = _query(body, parts)
    answered = parts.wiring.answers.answer(
        caller,
        query,
        with_passages=body.include_passages,
        person_wanted=body.escalate,
        request_id=request_id_of(request),
    )
    report_timings(request, response, answered.retrieved.seconds)
    return _response(answered, query, body, parts, request)


@router.post("/answer/stream", summary="The same, sentence by sentence", response_class=StreamingResponse, responses=_STREAMED)
def answer_stream(body: AnswerRequest, caller: Caller, parts: Wired, request: Request) -> StreamingResponse:
    """The answer as server-sent events. No sentence is sent before it has been verified and its documents have passed the gate."""
    query = _query(body, parts)
    given = parts.wiring.answers.stream(
        caller,
        query,
        with_passages=body.include_passages,
        person_wanted=body.escalate,
        request_id=request_id_of(request),
    )

    def events() -> Iterator[Event]:
        for each in given:
            if isinstance(each, Answer):
                yield Event.of(ANSWER, _response(each, query, body, parts, request))
            else:
                yield Event.of(SENTENCE, SentenceEvent.of(each))

    def failed(error: Exception) -> Event:
        return Event(ERROR, bytes(problem_for(request, error).response(request_id_of(request)).body).decode())

    return event_stream(events(), failed=failed)


def _query(body: AnswerRequest, parts: Parts) -> Query:
    top_k = min(parts.settings.answer_passages, parts.settings.query_max_top_k)
    return query_of(parts, text=body.query, top_k=top_k, sources=body.sources, at_least=body.at_least, as_of=body.as_of)


def _response(answered: Answer, query: Query, body: AnswerRequest, parts: Parts, request: Request) -> AnswerResponse:
    return AnswerResponse.of(
        answered,
        request_id=request_id_of(request),
        consistency_token=parts.tokens.seal(answered.retrieved.revision),
        include_passages=body.include_passages,
        as_of=AsOfOut.of(query.as_of, parts.tokens),
    )
