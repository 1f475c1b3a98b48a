"""Routes that say who may call them. There is no third kind: a router takes one of these two, and a test walks all routes.

A `PrincipalRoute` authenticates before it reads the body, so an anonymous caller learns nothing from how its body is judged.
"""

import time
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.dependencies import parts_of

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OpenRoute(APIRoute):
    """Anybody may call it: it tells nothing of any document."""


class PrincipalRoute(APIRoute):
    """Only an authenticated principal may call it; what it may read is the service's question."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        takes_body = self.body_field is not None

        async def authenticated(request: Request) -> Response:
            started = time.perf_counter()
            found = await run_in_threadpool(parts_of(request).authenticator.authenticate, request)
            request.state.principal = found.principal
            request.state.credential = found.credential
            request.state.seconds = {"authenticate": time.perf_counter() - started}
            if takes_body and not _is_json(request):
                raise HTTPException(415)
            return await handler(request)

        return authenticated


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
