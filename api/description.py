"""The OpenAPI document: what FastAPI finds out by itself, and the errors as they really are."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from pydantic.json_schema import models_json_schema

from api.declared import RoleRoute
from api.dependencies import BEARER, ON_BEHALF
from api.responses.answers import ANSWER_EXAMPLE, AnswerResponse
from api.responses.operation import ProblemResponse

_SUMMARY = "Cited passages and answers from documents, to those who may read them."
_PROBLEMS = {
    "400": "The body is not JSON",
    "401": "No valid credential",
    "403": "The credential does not hold the role that this needs: {roles}",
    "404": "Absent, or not readable to you: the two are one answer",
    "413": "The body is too large",
    "415": "The body is not declared as JSON",
    "422": "A field breaks a rule or a limit",
    "503": "Permissions or the index are not available; Retry-After says when to try again",
}
_WITH_BODY = ("400", "401", "403", "413", "415", "422", "503")
_WITH_PATH = ("401", "403", "404", "422", "503")
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
    roles = _roles(app)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _declare_requirement(operation, roles.get((path, method.upper()), []))
    return document


def _roles(app: FastAPI) -> Mapping[tuple[str, str], list[str]]:
    """Which roles open each path and method; open ones are not among them."""
    return {
        (str(context.path), method): sorted(role.value for role in context.original_route.roles)
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, RoleRoute)
        for method in context.original_route.methods or ()
    }


def _declare_requirement(operation: dict[str, Any], roles: Sequence[str]) -> None:
    """Its security and its problems. FastAPI lists the two credentials as alternatives; the second only ever comes beside the first."""
    operation["responses"].pop("422", None)
    if not roles:
        return
    operation["security"] = [{BEARER: []}, {BEARER: [], ON_BEHALF: []}]
    for status in _WITH_BODY if "requestBody" in operation else _WITH_PATH:
        content = {"application/problem+json": {"schema": {"$ref": _PROBLEM}}}
        operation["responses"][status] = {"description": _PROBLEMS[status].format(roles=" or ".join(roles)), "content": content}
