"""GET /citations/{id}: what was cited to the caller, and what has become of it."""

import re

from fastapi import APIRouter, Request

from api.declared import CONTENT
from api.dependencies import Caller, Unparametrised, Wired
from api.errors import request_id_of
from api.responses.citations import CitationCheckResponse, CitationReceiptResponse
from retrieval.domain.citations import CheckedCitation
from retrieval.domain.errors import NotReadable

router = APIRouter(route_class=CONTENT, tags=["knowledge"])

_WELL_FORMED = re.compile(r"cit_[0-9a-f]{24}")


@router.get("/citations/{id}", summary="The receipt of a citation")
def receipt(id: str, _none: Unparametrised, caller: Caller, parts: Wired, request: Request) -> CitationReceiptResponse:
    """Which version of which document was cited to you, where and when; and the quote, as far as the current version still holds it.

    A citation that was not given to you and one that there is not are the same 404.
    """
    return CitationReceiptResponse.of(_checked(id, caller, parts, request), request_id=request_id_of(request))


@router.get("/citations/{id}/verify", summary="What has become of a citation")
def verify(id: str, _none: Unparametrised, caller: Caller, parts: Wired, request: Request) -> CitationCheckResponse:
    """Whether what was cited to you still stands where it stood, was changed, was withdrawn, or may not be read by you any more.

    A citation that was not given to you and one that there is not are the same 404.
    """
    return CitationCheckResponse.of(_checked(id, caller, parts, request), request_id=request_id_of(request))


def _checked(id_: str, caller: Caller, parts: Wired, request: Request) -> CheckedCitation:
    if not _WELL_FORMED.fullmatch(id_):
        raise NotReadable("not an id")
    return parts.wiring.citations.check(caller, id_, request_id=request_id_of(request))
