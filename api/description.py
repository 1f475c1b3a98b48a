"""The OpenAPI document: what FastAPI finds out by itself, and the errors as they really are."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.responses.answers import ANSWER_EXAMPLE, AnswerResponse
from api.responses.operation import ProblemResponse

_SUMMARY = "Cited passages and answers from documents, to those who may read them."
_PROBLEMS = {
    "400": "The body is not JSON",
    "401": "No valid API key",
    "404": "Absent, or not readable to you: the two are one answer",
    "413": "The body is too large",
    "415": "The body is not declared as JSON",
    "422": "A field breaks a rule or a limit",
    "503": "Permissions or the index are not available; Retry-After says when to try again",
}
_WITH_BODY = ("400", "401", "413", "415", "422", "503")
_WITH_PATH = ("401", "404", "422", "503")
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
    for path in document["paths"].values():
        for operation in path.values():
            _declare_problems(operation)
    return document


def _declare_problems(operation: dict[str, Any]) -> None:
    operation["responses"].pop("422", None)
    if "security" not in operation:
        return
    for status in _WITH_BODY if "requestBody" in operation else _WITH_PATH:
        content = {"application/problem+json": {"schema": {"$ref": _PROBLEM}}}
        operation["responses"][status] = {"description": _PROBLEMS[status], "content": content}
