"""POST /answer: an answer made of quotes, or an abstention."""

from fastapi import APIRouter, Request, Response

from api.declared import CONTENT
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.queries import query_of
from api.responses.answers import AnswerResponse
from api.schemas import AnswerRequest
from api.timings import report_timings

router = APIRouter(route_class=CONTENT, tags=["knowledge"])


@router.post("/answer", summary="An answer made of quotes")
def answer(body: AnswerRequest, caller: Caller, parts: Wired, request: Request, response: Response) -> AnswerResponse:
    """Sentences quoted word for word from documents you may read, each with its citation; or an abstention that says why."""
    top_k = min(parts.settings.answer_passages, parts.settings.query_max_top_k)
    query = query_of(parts, text=body.query, top_k=top_k, sources=body.sources, at_least=body.at_least)
    answered = parts.wiring.knowledge.answer(caller, query, with_passages=body.include_passages, request_id=request_id_of(request))
    report_timings(request, response, answered.retrieved.seconds)
    return AnswerResponse.of(
        answered,
        request_id=request_id_of(request),
        consistency_token=parts.tokens.seal(answered.retrieved.revision),
        include_passages=body.include_passages,
    )
