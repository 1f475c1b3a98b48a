"""GET /access-requests: who would need to read what of the sources that the caller answers for."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.cursors import list_fingerprint
from api.declared import requires
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.pages import Place
from api.responses.access_requests import AccessRequestListResponse
from api.schemas import PageParameters
from retrieval.domain.roles import Role

router = APIRouter(route_class=requires(Role.DATA_OWNER), tags=["sources"])


@router.get("/access-requests", summary="Who would need to read your sources")
def access_requests(
    wanted: Annotated[PageParameters, Query()], caller: Caller, parts: Wired, request: Request
) -> AccessRequestListResponse:
    """Questions to which somebody found nothing, though a document of yours that you may read answers them.

    Only of sources whose owner wants to be asked. Whoever asked the question was not told.
    """
    place = Place.asked(parts, caller, list_fingerprint("access-requests"), wanted)
    request_id = request_id_of(request)
    page = parts.wiring.access.owned(caller, after=place.after, count=place.count, request_id=request_id)
    next_cursor = None if page.next is None else place.next(page.next)
    return AccessRequestListResponse.of(page, request_id=request_id, next_cursor=next_cursor)
