"""Questions that somebody has handed to people: how each stands, and its answer when there is one."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.cursors import MAX_CURSOR_CHARACTERS, list_fingerprint
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.pages import Place
from api.schemas import PageParameters
from api.web.citing import cited
from api.web.console import console_of
from api.web.guarded import once, requires_session
from api.web.pages import HEADERS
from api.web.sessions import PATH
from retrieval.domain.errors import Conflict
from retrieval.domain.roles import Role

router = APIRouter(prefix=PATH, route_class=requires_session(Role.USER), include_in_schema=False)
taking_back_router = APIRouter(prefix=PATH, route_class=once(requires_session(Role.USER)), include_in_schema=False)


@router.get("/questions")
def questions(
    caller: Caller, parts: Wired, request: Request, cursor: Annotated[str | None, Query(max_length=MAX_CURSOR_CHARACTERS)] = None
) -> Response:
    place = Place.asked(parts, caller, list_fingerprint("questions"), PageParameters(limit=None, cursor=cursor))
    found = parts.wiring.escalations.mine(caller, after=place.after, count=place.count + 1, request_id=request_id_of(request))
    shown = found[: place.count]
    next_cursor = place.next(shown[-1].id) if len(found) > place.count else None
    return console_of(request).pages.page(request, "questions", questions=shown, next_cursor=next_cursor)


@router.get("/questions/{id}")
def question(id: str, caller: Caller, parts: Wired, request: Request) -> Response:
    found = parts.wiring.escalations.poll(caller, id, request_id=request_id_of(request))
    return console_of(request).pages.page(request, "question", question=found, cited=cited(found.sentences, {}))


@taking_back_router.post("/questions/{id}/withdraw")
def withdraw(id: str, caller: Caller, parts: Wired, request: Request) -> Response:
    """Where it has been decided in the meantime, its page says so."""
    try:
        parts.wiring.escalations.withdraw(caller, id, request_id=request_id_of(request))
    except Conflict:
        return RedirectResponse(f"{PATH}/questions/{id}", 303, dict(HEADERS))
    return RedirectResponse(f"{PATH}/questions", 303, dict(HEADERS))
