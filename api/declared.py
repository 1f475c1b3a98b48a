"""Routes that say who may call them. Nothing is open by silence: a router names one of these, or the application does not start.

    router = APIRouter(route_class=requires(Role.AUDITOR))              # one of the named roles suffices
    router = APIRouter(route_class=OpenRoute)                           # anybody; it tells nothing of any document

A route that requires a role authenticates and judges the role before it reads the body, so that a caller who is refused learns nothing
from how its body is judged. The handler finds `principal`, `roles` and `credential` in `request.state`, or takes a `Caller`.
"""

import time
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Any, ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.authentication import Authenticated
from api.bodies import JsonRoute
from api.dependencies import parts_of
from retrieval.domain.errors import NotAuthorised
from retrieval.domain.roles import Role

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
JSON = "application/json"


class OpenRoute(APIRoute):
    """Anybody may call it: it tells nothing of any document."""


class GuardedRoute(APIRoute):
    """Only a principal whose credential holds one of `roles` may call it; what it may read is the service's question.

    Attributes:
        roles: any one of them suffices.
    """

    roles: ClassVar[frozenset[Role]] = frozenset()


class RoleRoute(GuardedRoute, JsonRoute):
    """A guarded route whose credential comes with the request.

    Attributes:
        accepts: media types of a body.
    """

    accepts: ClassVar[frozenset[str]] = frozenset({JSON})

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        takes_body = self.body_field is not None

        async def authorised(request: Request) -> Response:
            started = time.perf_counter()
            found = await run_in_threadpool(parts_of(request).authenticator.authenticate, request)
            admit(request, found, self.roles)
            request.state.seconds = {"authenticate": time.perf_counter() - started}
            if takes_body and _media_type(request) not in self.accepts:
                raise HTTPException(415)
            return await handler(request)

        return authorised


def admit(request: Request, found: Authenticated, roles: frozenset[Role]) -> None:
    """Let the request know whose it is. Raises NotAuthorised for a credential that holds none of `roles`."""
    request.state.principal = found.principal
    request.state.roles = found.roles
    request.state.credential = found.credential
    if not roles & found.roles:
        raise NotAuthorised("the credential holds none of the roles that the route requires")


@lru_cache(maxsize=64)
def requires(*roles: Role, accepts: tuple[str, ...] = (JSON,)) -> type[RoleRoute]:
    """The class of routes that any one of `roles` opens. Equal requirements are one class.

    Raises:
        ValueError: no role is named. That would be a route for nobody; `OpenRoute` is the one for everybody.
    """
    if not roles:
        raise ValueError("a route that requires a role must name one")
    name = "Requires" + "Or".join(role.name.title().replace("_", "") for role in roles)
    return type(name, (RoleRoute,), {"roles": frozenset(roles), "accepts": frozenset(accepts)})


CONTENT = requires(Role.USER, Role.APP)
"""What reads documents. No other role opens it: an administrator is not a reader."""


def check_declared(app: FastAPI) -> None:
    """Raises TypeError naming a route that does not say who may call it: the application then does not start."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, OpenRoute) or (isinstance(route, GuardedRoute) and route.roles):
            continue
        raise TypeError(f"the route {context.path} does not declare who may call it: give its router a route_class of api/declared.py")


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
