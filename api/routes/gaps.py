"""GET /gaps: what people asked and the caller's sources did not tell, or tell wrongly."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.cursors import list_fingerprint
from api.declared import requires
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.pages import Place
from api.responses.gaps import GapListResponse
from api.schemas import PageParameters, SourceId
from retrieval.domain.gaps import check_month
from retrieval.domain.roles import Role

router = APIRouter(route_class=requires(Role.DATA_OWNER), tags=["sources"])


class GapListParameters(PageParameters):
    """Which gaps to list."""

    month: str | None = Field(None, max_length=7, description="Such as `2026-03`, in UTC; without it the current one.")
    source: SourceId | None = Field(None, description="Only of this source.")


@router.get("/gaps", summary="What your sources did not tell")
def gaps(wanted: Annotated[GapListParameters, Query()], caller: Caller, parts: Wired, request: Request) -> GapListResponse:
    """Of one month: questions that found nothing, that a reviewer rejected or marked as a gap, and documents said to be outdated.

    A question's words are shown only when enough different people asked it; who asked is never told.
    """
    month = check_month(wanted.month) if wanted.month is not None else parts.clock.now().strftime("%Y-%m")
    place = Place.asked(parts, caller, list_fingerprint("gaps", month=month, source=wanted.source), wanted)
    request_id = request_id_of(request)
    groups = parts.wiring.learning.gaps.owned(caller, month=month, source=wanted.source, request_id=request_id)
    start = int(place.after or 0)
    shown = groups[start : start + place.count]
    next_cursor = place.next(str(start + len(shown))) if start + len(shown) < len(groups) else None
    return GapListResponse.of(shown, request_id=request_id, next_cursor=next_cursor)
