"""Errors as SCIM clients read them (RFC 7644, section 3.12). They name the field and its limit, never the rejected value."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.errors import NOT_FOUND, Problem, problem_of
from retrieval.domain.directory import AlreadyEntered, VersionMoved
from retrieval.domain.errors import ArchivistError, InvalidInput

MEDIA_TYPE = "application/scim+json"
_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(Exception):
    """A refusal whose `kind` is one of the RFC's `scimType` words, or empty."""

    def __init__(self, status: HTTPStatus, detail: str, *, kind: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.headers = headers or {}

    def response(self) -> JSONResponse:
        body = {"schemas": [_SCHEMA], "status": str(self.status.value), "detail": self.detail}
        shown = {**body, "scimType": self.kind} if self.kind else body
        return JSONResponse(shown, self.status.value, dict(self.headers), media_type=MEDIA_TYPE)


def invalid(kind: str, detail: str) -> ScimError:
    return ScimError(HTTPStatus.BAD_REQUEST, detail, kind=kind)


def not_found() -> ScimError:
    return ScimError(HTTPStatus.NOT_FOUND, "There is no such resource.")


def scim_error(error: ArchivistError | HTTPException) -> ScimError:
    """What a client is told of an error of the domain or of the routing."""
    match error:
        case AlreadyEntered():
            return ScimError(HTTPStatus.CONFLICT, f"{error}.".capitalize(), kind="uniqueness")
        case VersionMoved():
            return ScimError(HTTPStatus.PRECONDITION_FAILED, "The resource has changed since it was read.")
        case InvalidInput():
            kind = (
                "tooMany" if any(problem.field in {"members", "groups"} and problem.limit for problem in error.problems) else "invalidValue"
            )
            return invalid(kind, str(error))
        case HTTPException():
            return ScimError(HTTPStatus(error.status_code), HTTPStatus(error.status_code).phrase, headers=error.headers)
    problem = problem_of(error)
    return not_found() if problem is NOT_FOUND else _told(problem)


def _told(problem: Problem) -> ScimError:
    return ScimError(problem.status, problem.detail, headers=problem.headers)
