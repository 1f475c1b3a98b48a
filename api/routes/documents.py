"""GET /documents/{id}: what the caller may see of a document."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.declared import CONTENT
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.extracts import checked_span, extract
from api.responses.documents import DocumentResponse
from api.schemas import DocumentParameters
from retrieval.domain.errors import NotReadable

router = APIRouter(route_class=CONTENT, tags=["knowledge"])

_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{1,100}")


@router.get("/documents/{id}", summary="A document as you may see it")
def document(id: str, wanted: Annotated[DocumentParameters, Query()], caller: Caller, parts: Wired, request: Request) -> DocumentResponse:
    """Its metadata, the versions you may read, and an extract: a cited span in its context, or the beginning of the text.

    A document that you may not read, one that is not there and an id that cannot be one are the same 404.
    """
    span = checked_span(wanted, parts.settings)
    if not _WELL_FORMED.fullmatch(id):
        raise NotReadable("not an id")
    found = parts.wiring.knowledge.document(caller, id)
    if wanted.version not in (None, found.version.id):
        raise NotReadable("not the current version")
    shown = extract(found.text, span, context=wanted.context, settings=parts.settings)
    return DocumentResponse.of(found, shown, request_id=request_id_of(request))
