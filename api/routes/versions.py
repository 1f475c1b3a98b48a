"""GET /documents/{id}/versions and GET /documents/{id}/diff: what a document said before."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.declared import CONTENT
from api.dependencies import Caller, Unparametrised, Wired
from api.errors import request_id_of
from api.responses.versions import DiffResponse, DocumentHistoryResponse
from api.routes.documents import check_id
from api.schemas import DiffParameters

router = APIRouter(route_class=CONTENT, tags=["knowledge"])


@router.get("/documents/{id}/versions", summary="The versions of a document that you may read")
def versions(id: str, _none: Unparametrised, caller: Caller, parts: Wired, request: Request) -> DocumentHistoryResponse:
    """Newest first, with the times in which each was the current one. Whoever may read the document now may read what it said before.

    Versions that are no longer kept, or that were taken back, are not there. A document that you may not read and one that there is
    not are the same 404.
    """
    check_id(id)
    found = parts.wiring.versions.history(caller, id, request_id=request_id_of(request))
    return DocumentHistoryResponse.of(found, request_id=request_id_of(request))


@router.get("/documents/{id}/diff", summary="What changed between two versions of a document")
def diff(id: str, wanted: Annotated[DiffParameters, Query()], caller: Caller, parts: Wired, request: Request) -> DiffResponse:
    """The lines that differ, with their places in both texts.

    A document or a version that you may not read and one that there is not are the same 404.
    """
    check_id(id)
    history, found = parts.wiring.versions.diff(caller, id, wanted.before, wanted.after, request_id=request_id_of(request))
    return DiffResponse.of(history, found, request_id=request_id_of(request))
