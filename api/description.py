"""The OpenAPI document: what FastAPI finds out by itself, and the errors as they really are."""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from api.declared import RoleRoute
from api.dependencies import BEARER, ON_BEHALF
from api.idempotency import HEADER as IDEMPOTENCY_KEY
from api.idempotency import READS, IdempotentRoute
from api.responses.answers import ANSWER_EXAMPLE, AnswerResponse
from api.responses.operation import ProblemResponse

_SUMMARY = "Cited passages and answers from documents, to those who may read them."
_PROBLEMS = {
    "400": "The body is not JSON, or can be read as JSON in two ways",
    "401": "No valid credential",
    "403": "The credential does not hold the role that this needs: {roles}",
    "404": "Absent, or not readable to you: the two are one answer",
    "408": "The body did not arrive in time",
    "409": "Not as you believed; or the first request with this Idempotency-Key has not been answered",
    "413": "The body is too large",
    "414": "The path is too long with its parameters",
    "415": "The body is not declared as JSON",
    "422": "A field breaks a rule or a limit",
    "429": "You ask more than your share; Retry-After says when to try again",
    "431": "The headers are too large",
    "503": "Permissions or the index are not available, or not in time; Retry-After says when to try again",
}
_ALWAYS = ("401", "403", "408", "413", "414", "422", "429", "431", "503")
_WITH_BODY = ("400", "415")
_OF_ONE = frozenset({"/graph/neighbourhood", "/feedback", "/recalls"})
"""Paths that show something of one thing, which a parameter names."""
_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "string", "pattern": "^[1-9][0-9]*$"}}}
_HEADERS = {"429": _RETRY_AFTER, "503": _RETRY_AFTER}
_IDEMPOTENCY_KEY = {
    "name": IDEMPOTENCY_KEY,
    "in": "header",
    "required": False,
    "description": "Your own name for this write. Sent again under it, it is answered again and not done again.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_CONVERTER = re.compile(r":\w+}")
"""How much of a path a parameter takes: the document does not say."""
_PROBLEM = "#/components/schemas/ProblemResponse"


def describe(app: FastAPI) -> None:
    """Make `app.openapi` give the document. It is built at the first call."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, summary=_SUMMARY, routes=app.routes)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    _, problems = models_json_schema([(ProblemResponse, "serialization")], ref_template="#/components/schemas/{model}")
    schemas.update(problems["$defs"])
    schemas[AnswerResponse.__name__]["examples"] = [ANSWER_EXAMPLE]  # FastAPI leaves out what is null
    routes = _routes(app)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            operation["responses"].pop("422", None)
            route = routes.get((path, method.upper()))
            if isinstance(route, RoleRoute):
                _declare_requirement(operation, route, path)
            if isinstance(route, IdempotentRoute) and method.upper() not in READS:
                operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
                _declare(operation, "409")
    return document


def _routes(app: FastAPI) -> Mapping[tuple[str, str], BaseRoute]:
    return {
        (_CONVERTER.sub("}", str(context.path)), method): context.original_route
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute)
        for method in context.original_route.methods or ()
    }


def _declare_requirement(operation: dict[str, Any], route: RoleRoute, path: str) -> None:
    """Its security and its problems. FastAPI lists the two credentials as alternatives; the second only ever comes beside the first."""
    operation["security"] = [{BEARER: []}, {BEARER: [], ON_BEHALF: []}]
    roles = " or ".join(sorted(role.value for role in route.roles))
    for status in (*_ALWAYS, *(_WITH_BODY if "requestBody" in operation else ()), *(("404",) if "{" in path or path in _OF_ONE else ())):
        _declare(operation, status, roles=roles)


def _declare(operation: dict[str, Any], status: str, *, roles: str = "") -> None:
    content = {"application/problem+json": {"schema": {"$ref": _PROBLEM}}}
    problem: dict[str, Any] = {"description": _PROBLEMS[status].format(roles=roles), "content": content}
    operation["responses"][status] = problem | ({"headers": _HEADERS[status]} if status in _HEADERS else {})
