"""The bodies of requests. Unknown fields are refused and nothing is coerced. Limits that are settings are checked by the service."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError


def _encodable(text: str) -> str:
    r"""JSON can spell half of a surrogate pair, such as "\ud800"; no model and no index can take it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PydanticCustomError("string_unicode", "must be valid Unicode") from error
    return text


Text = Annotated[str, AfterValidator(_encodable)]
SourceId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]

_AT_LEAST = (
    "A consistency token from an earlier response. The answer then stands on a state at least as new: a permission revoked before "
    "the token was given is certainly in force. 503 when the index cannot get there in time."
)


class RetrieveRequest(BaseModel):
    """A query for passages."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"query": "How many days may I work from abroad?", "top_k": 5},
                {"query": "travel expenses", "sources": ["handbook"]},
            ]
        },
    )

    query: Text = Field(description="What is sought, in words.")
    top_k: int | None = Field(None, description="Most hits to return; the service has a default and an upper limit.")
    sources: list[SourceId] = Field(default=[], description="Only these sources; empty: every one that you may read.")
    at_least: str | None = Field(None, description=_AT_LEAST)


class AnswerRequest(BaseModel):
    """A question to be answered with quotes."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"query": "How many days may I work from abroad?"}]},
    )

    query: Text = Field(description="The question, in words.")
    sources: list[SourceId] = Field(default=[], description="Only these sources; empty: every one that you may read.")
    at_least: str | None = Field(None, description=_AT_LEAST)
    include_passages: bool = Field(default=False, description="Return the passages that the answer was sought in, too.")


class DocumentParameters(BaseModel):
    """Which part of a document's text to show. Offsets count Unicode characters of the version's text from 0."""

    model_config = ConfigDict(extra="forbid")

    version: str | None = Field(None, max_length=100, description="The version that a citation names; 404 when it is not the current one.")
    start: int | None = Field(None, ge=0, description="First character of the span to show; needs `end`.")
    end: int | None = Field(None, ge=0, description="The character after the span; needs `start`.")
    context: int | None = Field(None, ge=0, description="Characters to show on either side of the span; the service has a default.")
