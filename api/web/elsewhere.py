"""Every other address below the console's: the same page as for what may not be seen."""

from fastapi import APIRouter

from api.web.guarded import PageRoute
from api.web.sessions import PATH
from retrieval.domain.errors import NotReadable

router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)


@router.get("/{path:path}")
def elsewhere() -> None:
    raise NotReadable("no such page")
