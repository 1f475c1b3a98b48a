"""GET /lineage and /recalls: from an answer to what it stands on, and from a run, a document or a recall to whoever was shown it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.cursors import list_fingerprint
from api.declared import requires
from api.dependencies import Caller, Unparametrised, Wired
from api.errors import request_id_of
from api.pages import Place
from api.responses.lineage import AnswerLineageResponse, DocumentLineageResponse, RecallReportResponse, RunLineageResponse
from api.schemas import PageParameters
from retrieval.domain.roles import Role

router = APIRouter(route_class=requires(Role.AUDITOR), tags=["audit"])


class LineageParameters(BaseModel):
    """How much to show."""

    model_config = ConfigDict(extra="forbid")

    limit: int | None = Field(
        None, ge=1, description="Most versions and records of showings; the service has a default and an upper limit."
    )


Limited = Annotated[LineageParameters, Query()]


@router.get("/lineage/answers/{id}", summary="What an answer stands on")
def answer_lineage(id: str, _none: Unparametrised, caller: Caller, parts: Wired, request: Request) -> AnswerLineageResponse:
    """The passages that it was made of with their versions, the runs that published those, and its models, prompt and calibration.

    `id` is the `request_id` of the answer, or of the retrieval. Ids and hashes only. That you read it is recorded.
    """
    request_id = request_id_of(request)
    return AnswerLineageResponse.of(parts.wiring.lineage.answer(caller, id, request_id=request_id), request_id=request_id)


@router.get("/lineage/runs/{id}", summary="Whom a run reached")
def run_lineage(id: str, wanted: Limited, caller: Caller, parts: Wired, request: Request) -> RunLineageResponse:
    """The versions that the run published, and who was shown passages of them. That you read it is recorded."""
    request_id = request_id_of(request)
    return RunLineageResponse.of(parts.wiring.lineage.run(caller, id, limit=wanted.limit, request_id=request_id), request_id=request_id)


@router.get("/lineage/documents/{id}", summary="Whom a document reached")
def document_lineage(id: str, wanted: Limited, caller: Caller, parts: Wired, request: Request) -> DocumentLineageResponse:
    """All its versions with the runs that published them, and who was shown passages of them. That you read it is recorded."""
    request_id = request_id_of(request)
    traced = parts.wiring.lineage.document(caller, id, limit=wanted.limit, request_id=request_id)
    return DocumentLineageResponse.of(traced, request_id=request_id)


@router.get("/recalls/{id}", summary="Who was shown what was recalled")
def recall(id: str, wanted: Annotated[PageParameters, Query()], caller: Caller, parts: Wired, request: Request) -> RecallReportResponse:
    """The recall, and each time that somebody was shown what it is about: who, when, and by which answer. That you read it is recorded.

    A page holds the showings of at most `limit` records of the audit log.
    """
    request_id = request_id_of(request)
    place = Place.asked(parts, caller, list_fingerprint("recall", id=id), wanted)
    before = int(place.after) if place.after else None
    made, showings = parts.wiring.lineage.recalled(caller, id, before=before, count=place.count, request_id=request_id)
    is_full = len({showing.seq for showing in showings}) == place.count
    next_cursor = place.next(str(showings[-1].seq)) if is_full else None
    return RecallReportResponse.told(made, showings, next_cursor=next_cursor, request_id=request_id)
