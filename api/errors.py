"""The error tree as problem+json (RFC 9457). Every error response of the API is made here.

A problem names the field and its limit, never the rejected value. Texts are fixed for each kind of error: what an exception says of
files, hosts or revisions goes to the log only. One 404 stands for an unknown path, an ill-formed id, an absent document and a hidden one.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from api.bodies import MalformedBody
from api.dependencies import parts_of
from api.refusals import record_refusal
from api.validation import field_problems
from retrieval.domain.errors import (
    ArchivistError,
    BudgetExceeded,
    CatalogUnavailable,
    Conflict,
    FieldProblem,
    IdentityUnavailable,
    IndexUnavailable,
    InvalidInput,
    Moved,
    NotAuthenticated,
    NotAuthorised,
    NotReadable,
    RevisionNotReached,
    TooManyRequests,
    Unavailable,
)

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "browsing-topics=(), camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every response: nothing that a principal may read is kept by a cache or shown by another site's page."""

_logger = structlog.get_logger("api.errors")


@dataclass(frozen=True)
class Problem:
    """One error response. `kind` is stable and meant for programs; `detail` is for people."""

    status: HTTPStatus
    kind: str
    detail: str
    errors: Sequence[FieldProblem] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, request_id: str) -> JSONResponse:
        body = {
            "type": f"urn:archivist:problem:{self.kind}",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "errors": [{"field": e.field, "problem": e.problem, "limit": e.limit} for e in self.errors],
            "request_id": request_id,
        }
        headers = {**SECURITY_HEADERS, "X-Request-Id": request_id, **self.headers}
        return JSONResponse(body, self.status.value, headers, media_type="application/problem+json")


NOT_FOUND = Problem(HTTPStatus.NOT_FOUND, "not-found", "There is nothing here that you may read.")
NOT_AUTHENTICATED = Problem(
    HTTPStatus.UNAUTHORIZED,
    "not-authenticated",
    "Send a valid API key or access token as 'Authorization: Bearer …'.",
    headers={"WWW-Authenticate": 'Bearer realm="archivist"'},
)
NOT_AUTHORISED = Problem(HTTPStatus.FORBIDDEN, "not-authorised", "This credential is not good for this request.")
INTERNAL = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal",
    "Something went wrong on our side. Quote the request id when you report it.",
    headers={"Connection": "close"},  # the server closes it after a defect; a caller that was not told would send the next request into it
)
OVERLOADED = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "Too many requests are being answered. Try again.", headers={"Retry-After": "1"}
)
LATE = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "deadline-exceeded",
    "The request could not be answered in time. A change that it asked for may still be made: repeat it with its Idempotency-Key.",
    headers={"Retry-After": "1"},
)
BODY_TOO_SLOW = Problem(
    HTTPStatus.REQUEST_TIMEOUT, "body-too-slow", "The request body did not arrive in time.", headers={"Connection": "close"}
)
CONFLICT = Problem(HTTPStatus.CONFLICT, "conflict", "The thing to change is not as the request believes.")

_FIXED: Mapping[type[ArchivistError], Problem] = {
    NotAuthenticated: NOT_AUTHENTICATED,
    NotAuthorised: NOT_AUTHORISED,
    NotReadable: NOT_FOUND,
    Conflict: CONFLICT,
}
_UNAVAILABLE: Mapping[type[Unavailable], tuple[str, str]] = {
    CatalogUnavailable: ("catalog-unavailable", "Permissions cannot be checked now, so nothing is shown. Try again."),
    IdentityUnavailable: ("identity-unavailable", "Access tokens cannot be checked now. Try again."),
    IndexUnavailable: ("index-unavailable", "The search index is not ready. Try again."),
    RevisionNotReached: ("revision-not-reached", "The search index has not caught up with 'at_least' yet. Try again."),
    Unavailable: ("unavailable", "A part that this request needs is not available now. Try again."),
}


def too_large(limit_bytes: int) -> Problem:
    error = FieldProblem("body", "is too large", f"{limit_bytes} bytes")
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return Problem(status, "too-large", "The request body is too large.", [error], {"Connection": "close"})


def headers_too_large(limit: str) -> Problem:
    error = FieldProblem("headers", "are too large or too many", limit)
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return Problem(status, "headers-too-large", "The request's headers are too large.", [error], {"Connection": "close"})


def target_too_long(limit_bytes: int) -> Problem:
    error = FieldProblem("path", "is too long with its parameters", f"{limit_bytes} bytes")
    status = HTTPStatus.REQUEST_URI_TOO_LONG
    return Problem(status, "target-too-long", "The request's path and parameters are too long.", [error], {"Connection": "close"})


def problem_of(error: ArchivistError) -> Problem:
    """What the caller is told of an error of the domain."""
    match error:
        case InvalidInput():
            return _invalid(error.problems)
        case MalformedBody():
            return _malformed([error.problem])
        case TooManyRequests() | BudgetExceeded():
            return _too_much(error)
        case Moved():
            present = FieldProblem("expected", "is not the present version in a state for this", f"{error.state}, version {error.version}")
            return Problem(HTTPStatus.CONFLICT, "conflict", CONFLICT.detail, [present])
        case Unavailable():
            kind, detail = next(texts for known, texts in _UNAVAILABLE.items() if isinstance(error, known))
            headers = {"Retry-After": str(error.retry_after_seconds)}
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, kind, detail, headers=headers)
    return next((problem for known, problem in _FIXED.items() if isinstance(error, known)), INTERNAL)


def _too_much(error: TooManyRequests | BudgetExceeded) -> Problem:
    headers = {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, TooManyRequests):
        detail = "You ask more than your share. Try again later."
        return Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", detail, headers=headers)
    spent = FieldProblem("budget", "less is left than an answer may cost", error.limit)
    detail = "A budget for generated answers is used up."
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, "budget-exceeded", detail, [spent], headers)


def problem_for(request: Request, error: Exception) -> Problem:
    """What the caller is told of any error that a route raises."""
    match error:
        case ArchivistError():
            return problem_of(error)
        case RequestValidationError():
            return _validation_problem(error)
        case HTTPException():
            return _http_problem(request, error)
    return INTERNAL


def install_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ArchivistError, _on_archivist_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_defect)


def request_id_of(request: Request) -> str:
    """The id that the middleware gave the request."""
    return getattr(request.state, "request_id", None) or secrets.token_hex(8)


def _on_archivist_error(request: Request, error: Exception) -> JSONResponse:
    return reported(request, cast(ArchivistError, error)).response(request_id_of(request))


def reported(request: Request, error: ArchivistError) -> Problem:
    """What the caller is told, once the log has it, and the audit log has a refusal for want of a role."""
    request_id = request_id_of(request)
    if isinstance(error, NotAuthorised):
        try:
            record_refusal(request, request_id=request_id)
        except ArchivistError as unrecorded:
            error = unrecorded
    problem = problem_of(error)
    if isinstance(error, NotAuthenticated | NotAuthorised):
        _logger.info("request_refused", request_id=request_id, kind=problem.kind, reason=str(error))
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log = _logger.warning if problem.status == HTTPStatus.SERVICE_UNAVAILABLE else _logger.error
        log("request_failed", request_id=request_id, kind=problem.kind, error=type(error).__name__, reason=str(error))
    return problem


def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    return problem_for(request, error).response(request_id_of(request))


def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    return problem_for(request, error).response(request_id_of(request))


def _validation_problem(error: RequestValidationError) -> Problem:
    found = error.errors()
    if any(e["type"] == "json_invalid" for e in found):
        return _malformed([FieldProblem("body", "is not valid JSON")])
    return _invalid(field_problems(found))


def _http_problem(request: Request, refused: HTTPException) -> Problem:
    """Routing's own refusals: unknown path, wrong method, a body that could not be read."""
    status = HTTPStatus(refused.status_code)
    headers = refused.headers or {}
    if status is HTTPStatus.NOT_FOUND:
        return NOT_FOUND
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = {"Allow": ", ".join(sorted(_methods_of(request)))}
        return Problem(status, "method-not-allowed", "This path does not take this method.", headers=allowed)
    if status is HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        wanted = FieldProblem("Content-Type", "is not supported", "application/json")
        return Problem(status, "unsupported-media-type", "The body must be JSON and say so.", [wanted])
    if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return too_large(parts_of(request).settings.request_max_bytes)
    if status is HTTPStatus.BAD_REQUEST:
        return _malformed([FieldProblem("body", "cannot be read as JSON")])
    return Problem(status, "refused", status.phrase, headers=headers)


def _methods_of(request: Request) -> set[str]:
    """Of all routes with the request's path; Starlette names those of the first one only."""
    routes = [context for context in iter_route_contexts(request.app.routes) if context.path_regex.match(request.scope["path"])]
    return {method for route in routes for method in route.methods or ()}


def _on_defect(request: Request, error: Exception) -> JSONResponse:
    """The last resort. The server goes on to log the traceback itself."""
    request_id = request_id_of(request)
    _logger.error("request_failed", request_id=request_id, kind=INTERNAL.kind, error=type(error).__name__)
    return INTERNAL.response(request_id)


def _invalid(errors: Sequence[FieldProblem]) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-input", "The request breaks a rule or a limit.", errors)


def _malformed(errors: Sequence[FieldProblem]) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "malformed", "The request could not be read.", errors)
