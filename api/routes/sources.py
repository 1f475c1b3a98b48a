"""GET /sources: how the sources stand that the caller answers for."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.cursors import list_fingerprint
from api.declared import requires
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.pages import Place
from api.responses.sources import SourceListResponse
from api.schemas import PageParameters
from retrieval.domain.roles import Role

router = APIRouter(route_class=requires(Role.DATA_OWNER), tags=["sources"])


@router.get("/sources", summary="How your sources stand")
def sources(wanted: Annotated[PageParameters, Query()], caller: Caller, parts: Wired, request: Request) -> SourceListResponse:
    """The sources that you, or a group you are in, own: counts of their documents and the age of their permissions.

    No title and no text: owning a source is not reading it.
    """
    place = Place.asked(parts, caller, list_fingerprint("sources"), wanted)
    owned = parts.wiring.catalog.owned.owned(caller, after=place.after, count=place.count + 1)
    shown = owned[: place.count]
    next_cursor = place.next(shown[-1].source.spec.id) if len(owned) > place.count else None
    return SourceListResponse.of(shown, request_id=request_id_of(request), next_cursor=next_cursor)
