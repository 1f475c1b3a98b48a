"""GET /audit: who was shown what, and who changed what."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.cursors import list_fingerprint
from api.declared import requires
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.pages import Place
from api.responses.audit import AuditResponse
from api.schemas import Moment, PageParameters, Text
from retrieval.domain.audit import AuditAction, AuditFilter
from retrieval.domain.clock import stamp
from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import MAX_SUBJECT_LENGTH, check_subject
from retrieval.domain.roles import Role

router = APIRouter(route_class=requires(Role.AUDITOR), tags=["audit"])


class AuditParameters(PageParameters):
    """Which records to show. What is not given does not limit."""

    actor: Text | None = Field(
        None, max_length=MAX_SUBJECT_LENGTH, description="Who asked, or for whom an application asked, e.g. user:alice."
    )
    document: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,100}$", description="Records that name this document.")
    action: str | None = Field(
        None, max_length=100, description="What was done.", json_schema_extra={"enum": [action.value for action in AuditAction]}
    )
    shown: bool = Field(default=False, description="Only records of documents being shown to somebody.")
    since: Moment | None = Field(None, alias="from", description="The first moment.")
    until: Moment | None = Field(None, alias="to", description="The moment after the last.")


@router.get("/audit", summary="The audit log")
def audit(wanted: Annotated[AuditParameters, Query()], caller: Caller, parts: Wired, request: Request) -> AuditResponse:
    """Newest first: who was shown which documents and who changed what. With `document`, who saw it; with `actor`, what they saw.

    Ids and hashes only, no title, no text and no query. That you read it is recorded, too.
    """
    kept = AuditFilter(
        person=None if wanted.actor is None else check_subject(wanted.actor, field="actor"),
        document=wanted.document,
        action=None if wanted.action is None else _action(wanted.action),
        shown_only=wanted.shown,
        since=wanted.since,
        until=wanted.until,
    )
    place = Place.asked(parts, caller, _fingerprint(kept), wanted)
    before = int(place.after) if place.after else None
    request_id = request_id_of(request)
    records = parts.wiring.catalog.audit.read(caller, kept, before=before, limit=place.count, request_id=request_id)
    next_cursor = place.next(str(records[-1].seq)) if len(records) == place.count else None
    return AuditResponse.of(records, request_id=request_id, next_cursor=next_cursor)


def _action(written: str) -> AuditAction:
    try:
        return AuditAction(written)
    except ValueError as error:
        raise InvalidInput.of("action", "is not an action", limit=", ".join(AuditAction)) from error


def _fingerprint(kept: AuditFilter) -> str:
    return list_fingerprint(
        "audit",
        person=kept.person,
        document=kept.document,
        action=kept.action,
        shown=int(kept.shown_only),
        since=stamp(kept.since) if kept.since else None,
        until=stamp(kept.until) if kept.until else None,
    )
