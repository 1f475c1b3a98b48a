"""Escalations for reviewers: the queue, one of them with its evidence, and what is done with it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.cursors import list_fingerprint
from api.declared import requires
from api.dependencies import Caller, Unparametrised, Wired
from api.errors import request_id_of
from api.idempotency import idempotent
from api.pages import Place
from api.responses.review_figures import HistoryResponse, StatisticsResponse
from api.responses.reviews import ReviewedResponse, ReviewListResponse, ReviewResponse
from api.review_bodies import DecisionRequest, ExpectedRequest, QueueParameters, ReassignRequest, StatisticsParameters
from retrieval.domain.roles import Role

router = APIRouter(route_class=idempotent(requires(Role.REVIEWER)), tags=["reviews"])
"""A reviewer sees what was routed to them, to a group they are in or to every reviewer; never a question of their own."""


@router.get("/reviews", summary="What you may review")
def queue(wanted: Annotated[QueueParameters, Query()], caller: Caller, parts: Wired, request: Request) -> ReviewListResponse:
    """By the time it is due, the most urgent first."""
    kept, request_id = wanted.filter, request_id_of(request)
    fingerprint = list_fingerprint(
        "reviews", state=kept.state, source=kept.source, reason=kept.reason, overdue=int(kept.overdue), mine=int(kept.mine)
    )
    place = Place.asked(parts, caller, fingerprint, wanted)
    found = parts.wiring.reviews.queue(caller, kept, after=place.after, count=place.count + 1, request_id=request_id)
    shown = found[: place.count]
    next_cursor = place.next(shown[-1].position) if len(found) > place.count else None
    return ReviewListResponse.of(shown, request_id=request_id, next_cursor=next_cursor)


@router.get("/reviews/statistics", summary="Figures over what you may review")
def statistics(wanted: Annotated[StatisticsParameters, Query()], caller: Caller, parts: Wired, request: Request) -> StatisticsResponse:
    """Volume, times, outcomes, and how often drafts were right."""
    request_id = request_id_of(request)
    figures = parts.wiring.reviews.statistics(caller, days=wanted.days, request_id=request_id)
    return StatisticsResponse.of(figures, request_id=request_id)


@router.get("/reviews/{id}", summary="One escalation")
def item(id: str, _none: Unparametrised, caller: Caller, parts: Wired, request: Request) -> ReviewResponse:
    """With the evidence and the sentences of the draft that its asker and you both may read now."""
    request_id = request_id_of(request)
    return ReviewResponse.of(parts.wiring.reviews.item(caller, id, request_id=request_id), request_id=request_id)


@router.get("/reviews/{id}/history", summary="What happened to an escalation")
def history(id: str, _none: Unparametrised, caller: Caller, parts: Wired, request: Request) -> HistoryResponse:
    """Oldest first."""
    request_id = request_id_of(request)
    return HistoryResponse.of(parts.wiring.reviews.history(caller, id, request_id=request_id), request_id=request_id)


@router.post("/reviews/{id}/claim", summary="Work on an escalation")
def claim(id: str, body: ExpectedRequest, caller: Caller, parts: Wired, request: Request) -> ReviewedResponse:
    """It is yours until the lease ends. 409 when it is somebody else's."""
    request_id = request_id_of(request)
    entry = parts.wiring.reviews.claim(caller, id, expected=body.expected, request_id=request_id)
    return ReviewedResponse.of(entry, request_id=request_id)


@router.post("/reviews/{id}/renew", summary="Keep working on it")
def renew(id: str, body: ExpectedRequest, caller: Caller, parts: Wired, request: Request) -> ReviewedResponse:
    """The lease begins anew. 409 when it is not yours any more."""
    request_id = request_id_of(request)
    entry = parts.wiring.reviews.renew(caller, id, expected=body.expected, request_id=request_id)
    return ReviewedResponse.of(entry, request_id=request_id)


@router.post("/reviews/{id}/release", summary="Give it back")
def release(id: str, body: ExpectedRequest, caller: Caller, parts: Wired, request: Request) -> ReviewedResponse:
    """Others may have it. 409 when it is not yours."""
    request_id = request_id_of(request)
    entry = parts.wiring.reviews.release(caller, id, expected=body.expected, request_id=request_id)
    return ReviewedResponse.of(entry, request_id=request_id)


@router.post("/reviews/{id}/decide", summary="Decide it")
def decide(id: str, body: DecisionRequest, caller: Caller, parts: Wired, request: Request) -> ReviewedResponse:
    """The final word, once. 409 when it has been decided or is not yours; 422 for a quote that does not stand where you say."""
    request_id = request_id_of(request)
    entry = parts.wiring.reviews.decide(caller, id, body.decision, expected=body.expected, request_id=request_id)
    return ReviewedResponse.of(entry, request_id=request_id)


@router.post("/reviews/{id}/reassign", summary="Ask somebody else")
def reassign(id: str, body: ReassignRequest, caller: Caller, parts: Wired, request: Request) -> ReviewedResponse:
    """Give it to others, or to the owner of its source. It is open again, and yours no more."""
    request_id = request_id_of(request)
    entry = parts.wiring.reviews.reassign(caller, id, expected=body.expected, to=body.to, note=body.note, request_id=request_id)
    return ReviewedResponse.of(entry, request_id=request_id)
