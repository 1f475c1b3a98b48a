"""POST /retrieve: the passages that bear on a query."""

from fastapi import APIRouter, Request, Response

from api.declared import CONTENT
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.queries import query_of
from api.responses.moments import AsOfOut
from api.responses.retrieved import RetrieveResponse
from api.schemas import RetrieveRequest
from api.timings import report_timings

router = APIRouter(route_class=CONTENT, tags=["knowledge"])


@router.post("/retrieve", summary="Passages that bear on a query")
def retrieve(body: RetrieveRequest, caller: Caller, parts: Wired, request: Request, response: Response) -> RetrieveResponse:
    """The best passages among those you may read, each with its citation. What you may not read does not exist here."""
    query = query_of(
        parts,
        text=body.query,
        top_k=body.top_k,
        sources=body.sources,
        at_least=body.at_least,
        as_of=body.as_of,
        explain=body.explain,
    )
    retrieved = parts.wiring.knowledge.retrieve(caller, query, request_id=request_id_of(request))
    report_timings(request, response, retrieved.seconds)
    said = parts.wiring.answers.curated(caller, query, request_id=request_id_of(request)) if body.curated else None
    token = parts.tokens.seal(retrieved.revision)
    as_of = AsOfOut.of(query.as_of, parts.tokens)
    return RetrieveResponse.of(retrieved, request_id=request_id_of(request), consistency_token=token, curated=said, as_of=as_of)
