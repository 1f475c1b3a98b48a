"""Questions that were handed to people, for whoever asked them."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.cursors import list_fingerprint
from api.declared import CONTENT
from api.dependencies import Caller, Unparametrised, Wired
from api.errors import request_id_of
from api.idempotency import idempotent
from api.pages import Place
from api.responses.escalations import EscalationListResponse, EscalationResponse
from api.schemas import PageParameters

router = APIRouter(route_class=idempotent(CONTENT), tags=["escalations"])


@router.get("/escalations", summary="Your questions that people look at")
def escalations(wanted: Annotated[PageParameters, Query()], caller: Caller, parts: Wired, request: Request) -> EscalationListResponse:
    """What you asked and was handed to a person, newest first; an application on behalf of you sees what was asked through it."""
    place = Place.asked(parts, caller, list_fingerprint("escalations"), wanted)
    request_id = request_id_of(request)
    found = parts.wiring.escalations.mine(caller, after=place.after, count=place.count + 1, request_id=request_id)
    shown = found[: place.count]
    next_cursor = place.next(shown[-1].position) if len(found) > place.count else None
    return EscalationListResponse.of(shown, request_id=request_id, next_cursor=next_cursor)


@router.get("/escalations/{id}", summary="What became of a question")
def escalation(id: str, _none: Unparametrised, caller: Caller, parts: Wired, request: Request) -> EscalationResponse:
    """How it stands and, once a person has answered it, the answer, as long as you may read everything that it stands on.

    404 for whoever did not ask it. Ask again from time to time, or let your application be told by a webhook.
    """
    request_id = request_id_of(request)
    return EscalationResponse.of(parts.wiring.escalations.poll(caller, id, request_id=request_id), request_id=request_id)


@router.delete("/escalations/{id}", summary="Take a question back", status_code=HTTPStatus.NO_CONTENT)
def withdraw(id: str, caller: Caller, parts: Wired, request: Request) -> None:
    """Nobody looks at it any more. 404 for whoever did not ask it, 409 when it is closed."""
    parts.wiring.escalations.withdraw(caller, id, request_id=request_id_of(request))
