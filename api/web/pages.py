"""Pages: templates with every value escaped and none undefined, under headers that allow no script but our own files."""

import secrets
from collections.abc import Mapping

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from api.errors import SECURITY_HEADERS, Problem, request_id_of
from api.web import words
from api.web.assets import Assets
from retrieval.domain.roles import Role

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    **SECURITY_HEADERS,
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # without a referrer, browsers send forms with the origin `null`
}
ONCE_BYTES = 12
"""Of the key by which a form that is sent twice is known."""
_OF_PROGRAMS = frozenset({"WWW-Authenticate"})
"""Would have a browser ask for a password in a window of its own."""


class Pages:
    """Renders templates."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=PackageLoader("api.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.filters.update(words.FILTERS)
        self._environment.globals.update(asset=assets.name, Role=Role, once=lambda: secrets.token_urlsafe(ONCE_BYTES))

    def page(self, request: Request, template: str, *, status: int = 200, **shown: object) -> HTMLResponse:
        """The template `<template>.html.jinja`, with the navigation of whoever has signed in."""
        session = getattr(request.state, "session", None)
        around: dict[str, object] = {
            "session": session,
            "roles": getattr(request.state, "roles", frozenset()),
            "principal": getattr(request.state, "principal", None),
            "path": request.url.path,
            "request_id": request_id_of(request),
        }
        body = self._environment.get_template(f"{template}.html.jinja").render(around | shown)
        return HTMLResponse(body, status, dict(HEADERS))

    def problem(self, request: Request, problem: Problem) -> HTMLResponse:
        """An error as a page: what a program is told, for people."""
        response = self.page(request, "problem", status=problem.status.value, problem=problem)
        response.headers.update(_for_browsers(problem.headers))
        return response


def _for_browsers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _OF_PROGRAMS}
