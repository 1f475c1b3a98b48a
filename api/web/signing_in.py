"""Signing in to the console, with an API key or at the identity provider, and signing out."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from api.authentication import MAX_HEADER_LENGTH
from api.dependencies import parts_of
from api.schemas import Text
from api.web.console import console_of
from api.web.guarded import PageRoute, local_path, requires_session
from api.web.pages import HEADERS
from api.web.provider import CALLBACK
from api.web.sessions import PATH, carrying
from retrieval.domain.errors import NotAuthenticated, NotReadable
from retrieval.domain.roles import Role

MAX_PAGE_CHARACTERS = 8_000
MEMBERS = (Role.USER, Role.REVIEWER, Role.DATA_OWNER)
"""Whom the console has pages for."""
LEAVING = "archivist-sign-in"
"""Cookie of a sign-in at the provider. Lax, because it is the provider's page that sends people back."""
REFUSED = "This is not a key that works. Check that it is whole, and that it has not been revoked or expired."
NOT_A_MEMBER = "This credential is good for neither asking nor reviewing nor owning sources, so there is no page here for it."

router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)
leaving_router = APIRouter(prefix=PATH, route_class=requires_session(*MEMBERS), include_in_schema=False)


class SignInForm(BaseModel):
    """A key, and the page that was wanted."""

    model_config = ConfigDict(extra="forbid")

    key: Text = Field("", max_length=MAX_HEADER_LENGTH)
    next: Text = Field(PATH, max_length=MAX_PAGE_CHARACTERS)


@router.get("/sign-in")
def sign_in_page(request: Request, next: Annotated[str, Query(max_length=MAX_PAGE_CHARACTERS)] = PATH) -> Response:
    return _form(request, next)


@router.post("/sign-in")
def sign_in(request: Request, sent: Annotated[SignInForm, Form()]) -> Response:
    return _signed_in(request, sent.key.strip(), RedirectResponse(local_path(sent.next), 303, dict(HEADERS)), wanted=sent.next)


@router.get("/sign-in/provider")
def leave(request: Request, next: Annotated[str, Query(max_length=MAX_PAGE_CHARACTERS)] = PATH) -> Response:
    console = console_of(request)
    if console.provider is None:
        raise NotReadable("no provider is configured")
    address, remembered = console.provider.leave(local_path(next))
    response = RedirectResponse(address, 303, dict(HEADERS))
    response.set_cookie(LEAVING, remembered, path=CALLBACK, secure=console.sessions.is_secure, httponly=True, samesite="lax")
    return response


@router.get("/sign-in/callback")
def arrive(
    request: Request,
    state: Annotated[str, Query(max_length=MAX_PAGE_CHARACTERS)] = "",
    code: Annotated[str, Query(max_length=MAX_PAGE_CHARACTERS)] = "",
    iss: Annotated[str | None, Query(max_length=MAX_PAGE_CHARACTERS)] = None,
) -> Response:
    """The page goes on by itself: a redirect would still be part of the provider's sending, and the session's cookie would stay behind."""
    console = console_of(request)
    if console.provider is None:
        raise NotReadable("no provider is configured")
    try:
        token, wanted = console.provider.arrive(request.cookies.get(LEAVING, ""), state=state, code=code, issuer=iss)
    except NotAuthenticated:
        return _form(request, PATH, problem="The sign-in at the provider did not succeed. Try it again.", status=401)
    response = _signed_in(request, token, console.pages.page(request, "signed_in", wanted=wanted), wanted=wanted)
    response.delete_cookie(LEAVING, path=CALLBACK, secure=console.sessions.is_secure, httponly=True, samesite="lax")
    return response


@leaving_router.post("/sign-out")
def sign_out(request: Request) -> Response:
    response = RedirectResponse(f"{PATH}/sign-in", 303, dict(HEADERS))
    console_of(request).sessions.end(request.state.session, response)
    return response


def _signed_in(request: Request, credential: str, response: Response, *, wanted: str) -> Response:
    """The response with the session's cookie; the form again for a credential that opens nothing here."""
    try:
        found = parts_of(request).authenticator.authenticate(carrying(request, credential))
    except NotAuthenticated:
        return _form(request, wanted, problem=REFUSED, status=401)
    if not found.roles & set(MEMBERS):
        return _form(request, wanted, problem=NOT_A_MEMBER, status=403)
    sessions = console_of(request).sessions
    sessions.keep(sessions.begin(credential), response)
    return response


def _form(request: Request, wanted: str, *, problem: str = "", status: int = 200) -> Response:
    console = console_of(request)
    has_provider = console.provider is not None
    return console.pages.page(request, "sign_in", status=status, wanted=local_path(wanted), problem=problem, has_provider=has_provider)
