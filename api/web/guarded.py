"""Routes of the console: whose errors are pages, and who may call them, by the session in place of a header.

    router = APIRouter(route_class=requires_session(Role.REVIEWER))     # one of the named roles suffices
    router = APIRouter(route_class=PageRoute)                           # anybody; it tells nothing of any document

A form is taken from our own pages only: SameSite keeps the cookie from those of others, and beside it every form says from which
page it comes (Origin) and holds the session's own token.
"""

import hmac
from functools import lru_cache
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from api.bodies import Handler
from api.declared import GuardedRoute, OpenRoute, admit
from api.dependencies import parts_of
from api.errors import NOT_AUTHENTICATED, problem_for, reported
from api.idempotency import IdempotentRoute
from api.web.console import console_of
from api.web.pages import HEADERS
from api.web.sessions import PATH, Session, carrying
from retrieval.domain.errors import ArchivistError, InvalidInput, NotAuthenticated, NotAuthorised
from retrieval.domain.roles import Role

FORM = "application/x-www-form-urlencoded"
CSRF_FIELD = "csrf"
ONCE_FIELD = "once"
READS = frozenset({"GET", "HEAD"})
SIGN_IN = f"{PATH}/sign-in"


class PageRoute(OpenRoute):
    """Anybody may see it. Forms must come from a page of ours."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def checked(request: Request) -> Response:
            check_origin(request)
            return await handler(request)

        return _with_problem_pages(checked)


class SessionRoute(GuardedRoute):
    """Whoever has signed in with a credential that holds one of `roles`. The handler finds in `request.state` what `admit` leaves."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            parts, sessions = parts_of(request), console_of(request).sessions
            try:
                session = sessions.of(request)
                await check_form(request, session)
                found = await run_in_threadpool(parts.authenticator.authenticate, carrying(request, session.credential))
            except NotAuthenticated:
                return _to_sign_in(request)
            request.state.session = session
            admit(request, found, self.roles)
            response = await handler(request)
            sessions.renew(session, response)
            return response

        return _with_problem_pages(guarded)


@lru_cache(maxsize=64)
def requires_session(*roles: Role) -> type[SessionRoute]:
    """The class of the console's routes that any one of `roles` opens. Raises ValueError: no role is named."""
    if not roles:
        raise ValueError("a route that requires a role must name one")
    name = "SessionOf" + "Or".join(role.name.title().replace("_", "") for role in roles)
    return type(name, (SessionRoute,), {"roles": frozenset(roles)})


class OnceRoute(IdempotentRoute):
    """A form that is sent twice, by a double click or again after a break, is carried out once. Stands behind a `SessionRoute`."""

    @staticmethod
    def keys(request: Request) -> list[str]:
        return [key for key in request.state.form.getlist(ONCE_FIELD) if isinstance(key, str)]


def once(requirement: type[SessionRoute]) -> type[APIRoute]:
    """The same requirement for routes whose forms each hold a key of their own."""
    return type(f"Once{requirement.__name__}", (requirement, OnceRoute), {})


async def check_form(request: Request, session: Session) -> None:
    """Leaves the form in `request.state`; nothing for what changes nothing.

    Raises:
        NotAuthorised: no page of ours that was shown to this session has sent it.
        InvalidInput: it is no form.
    """
    if request.method in READS:
        return
    check_origin(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise InvalidInput.of("Content-Type", "is not a form's", limit=FORM)
    await request.body()  # kept by the request from then on, for whoever reads it again
    request.state.form = form = await request.form()
    token = form.get(CSRF_FIELD)
    if not isinstance(token, str) or not hmac.compare_digest(token.encode(), session.csrf.encode()):
        raise NotAuthorised("the form was not made for this session")


def check_origin(request: Request) -> None:
    """Nothing for what changes nothing. Raises NotAuthorised for a form from elsewhere, or that does not say from where."""
    if request.method in READS:
        return
    settings = parts_of(request).settings
    ours = settings.console_url.rstrip("/") or f"//{request.url.netloc}"
    origin = request.headers.get("origin", "")
    if origin not in (ours, f"https:{ours}", *(() if settings.api_behind_https else (f"http:{ours}",))):
        raise NotAuthorised("the form comes from a page elsewhere")


def _with_problem_pages(handler: Handler) -> Handler:
    async def shown(request: Request) -> Response:
        pages = console_of(request).pages
        try:
            return await handler(request)
        except ArchivistError as error:
            return pages.problem(request, await run_in_threadpool(reported, request, error))
        except (RequestValidationError, HTTPException) as error:
            return pages.problem(request, problem_for(request, error))

    return shown


def _to_sign_in(request: Request) -> Response:
    """To where one signs in, and from there on to the page. A form that was sent cannot be sent on: it is refused."""
    if request.method not in READS:
        return console_of(request).pages.problem(request, NOT_AUTHENTICATED)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{SIGN_IN}?next={quote(wanted, safe='')}", 303, dict(HEADERS))


def local_path(wanted: str) -> str:
    """`wanted` if it is a page of the console, else its first page: nobody is sent elsewhere from here."""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return PATH
    within = parts.path == PATH or parts.path.startswith(f"{PATH}/")
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted and ".." not in parts.path
    return wanted if within and plain and not parts.scheme and not parts.netloc else PATH
