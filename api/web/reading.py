"""A document's page: its text, a piece at a time, with a cited span marked."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.extracts import check_span
from api.routes.documents import check_id
from api.web.console import console_of
from api.web.guarded import requires_session
from api.web.highlight import Piece, marked
from api.web.sessions import PATH
from retrieval.domain.documents import Span
from retrieval.domain.errors import InvalidInput
from retrieval.domain.roles import Role
from retrieval.ports.reading import ReadableDocument

router = APIRouter(prefix=PATH, route_class=requires_session(Role.USER), include_in_schema=False)


class DocumentPageParameters(BaseModel):
    """Which part of a document to show: the one with the span, or from the character `from` on."""

    model_config = ConfigDict(extra="forbid")

    version: str | None = Field(None, max_length=100)
    start: int | None = Field(None, ge=0)
    end: int | None = Field(None, ge=0)
    begin: int | None = Field(None, ge=0, alias="from")


@dataclass(frozen=True)
class TextWindow:
    """A piece of a document's text, and the addresses of those before and after it; None where there is none."""

    pieces: list[Piece]
    shown: Span
    before: str | None
    after: str | None
    page: int | None


@router.get("/documents/{id}")
def document(id: str, wanted: Annotated[DocumentPageParameters, Query()], caller: Caller, parts: Wired, request: Request) -> Response:
    span = check_span(wanted.start, wanted.end, parts.settings)
    check_id(id)
    found = parts.wiring.knowledge.document(caller, id, version=wanted.version, request_id=request_id_of(request))
    if span is not None and span.end > len(found.text):
        raise InvalidInput.of("end", "is past the end of the text", limit=f"{len(found.text)} characters")
    window = window_of(found, span, begin=wanted.begin, characters=parts.settings.console_document_characters)
    return console_of(request).pages.page(request, "document", document=found, window=window)


def window_of(document: ReadableDocument, span: Span | None, *, begin: int | None, characters: int) -> TextWindow:
    """The piece from `begin` on, or the one in the middle of which the span stands. Longer spans are shown whole."""
    text = document.text
    if begin is None:
        begin = 0 if span is None or span.end <= characters else _line_start(text, span.start - characters // 4)
    shown = Span(min(begin, len(text)), min(max(begin + characters, 0 if span is None else span.end), len(text)))
    within = [] if span is None else [_inside(span, shown)]
    return TextWindow(
        pieces=marked(shown.of(text), [each for each in within if len(each)]),
        shown=shown,
        before=_address(document, span, max(0, shown.start - characters)) if shown.start else None,
        after=_address(document, span, shown.end) if shown.end < len(text) else None,
        page=None if span is None else next((page for page, start, end in document.pages if start <= span.start < end), None),
    )


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, max(at, 0)) + 1


def _inside(span: Span, shown: Span) -> Span:
    """The span's place in what is shown; empty outside of it."""
    start = min(max(span.start, shown.start), shown.end)
    return Span(start - shown.start, min(max(span.end, start), shown.end) - shown.start)


def _address(document: ReadableDocument, span: Span | None, begin: int) -> str:
    where = {"version": document.version.id} | ({} if span is None else {"start": span.start, "end": span.end}) | {"from": begin}
    return f"{PATH}/documents/{document.id}?{urlencode(where)}"
