"""GET /documents and GET /documents/{id}: which documents there are for the caller, and what it may see of one."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.cursors import list_fingerprint
from api.declared import CONTENT
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.extracts import checked_span, extract
from api.pages import Place
from api.responses.documents import DocumentListResponse, DocumentResponse
from api.schemas import DocumentListParameters, DocumentParameters
from retrieval.domain.errors import NotReadable

router = APIRouter(route_class=CONTENT, tags=["knowledge"])

_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{1,100}")


@router.get("/documents", summary="The documents that you may read")
def documents(wanted: Annotated[DocumentListParameters, Query()], caller: Caller, parts: Wired, request: Request) -> DocumentListResponse:
    """One page of them, in the order of their ids, which is none that means anything. There is no total.

    The cursor of the next page works for you and for this list only, for a day.
    """
    place = Place.asked(parts, caller, list_fingerprint("documents", source=wanted.source), wanted)
    page = parts.wiring.knowledge.list_documents(
        caller, source=wanted.source, after=place.after, count=place.count, request_id=request_id_of(request)
    )
    return DocumentListResponse.of(
        page,
        request_id=request_id_of(request),
        next_cursor=place.next(page.documents[-1].id) if page.more else None,
        consistency_token=parts.tokens.seal(page.revision),
    )


@router.get("/documents/{id}", summary="A document as you may see it")
def document(id: str, wanted: Annotated[DocumentParameters, Query()], caller: Caller, parts: Wired, request: Request) -> DocumentResponse:
    """Its metadata, the versions you may read, and an extract: a cited span in its context, or the beginning of the text.

    A document that you may not read, one that is not there and an id that cannot be one are the same 404.
    """
    span = checked_span(wanted, parts.settings)
    check_id(id)
    found = parts.wiring.knowledge.document(caller, id, version=wanted.version, request_id=request_id_of(request))
    shown = extract(found.text, span, context=wanted.context, settings=parts.settings)
    return DocumentResponse.of(found, shown, request_id=request_id_of(request))


def check_id(id_: str) -> None:
    """Raises NotReadable for what cannot be a document's id."""
    if not _WELL_FORMED.fullmatch(id_):
        raise NotReadable("not an id")
