"""Health, readiness and problems."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class HealthResponse(BaseModel):
    """The process lives."""

    status: Literal["ok"]


class PartOut(BaseModel):
    name: str
    ready: bool
    detail: str


class ModelOut(BaseModel):
    """An embedding model that queries are, or may soon be, embedded by."""

    id: str = Field(description="Name and hash.")
    state: Literal["live", "ready"] = Field(description="`ready`: prepared to become live.")
    ready: bool = Field(description="Whether this process has it in memory and its vectors in the index.")


class ReadinessResponse(BaseModel):
    """Whether requests can be answered now, and which part is not ready."""

    ready: bool
    parts: list[PartOut]
    models: list[ModelOut] = Field(description="Empty while it is not ready.")


class FieldProblemOut(BaseModel):
    """What is wrong with one field. The rejected value is never repeated."""

    field: str
    problem: str
    limit: str | None


class ProblemResponse(BaseModel):
    """Every error, as application/problem+json (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:archivist:problem:invalid-input",
                    "title": "Unprocessable Entity",
                    "status": 422,
                    "detail": "The request breaks a rule or a limit.",
                    "errors": [{"field": "top_k", "problem": "is out of range", "limit": "1 to 100"}],
                    "request_id": "5f1d7c0a9b3e4826",
                }
            ]
        }
    )

    type: str = Field(description="Stable, for programs: urn:archivist:problem:<kind>.")
    title: str
    status: int
    detail: str
    errors: list[FieldProblemOut]
    request_id: str = Field(description="Quote it when you report a problem.")
