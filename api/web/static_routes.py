"""The console's files. Their names change with their content, so browsers keep them."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.web.console import console_of
from api.web.guarded import PageRoute
from api.web.sessions import PATH

KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}

router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)


@router.get("/static/{name}")
def file(name: str, request: Request) -> Response:
    asset = console_of(request).assets.find(name)
    return Response(asset.content, headers=KEPT, media_type=asset.media_type)
