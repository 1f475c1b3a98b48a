"""The bodies of requests. Unknown fields are refused and nothing is coerced. Limits that are settings are checked by the service."""

import re
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from api.cursors import MAX_CURSOR_CHARACTERS
from retrieval.domain.keys import MAX_DAYS, MAX_LABEL_LENGTH
from retrieval.domain.permissions import MAX_SUBJECT_LENGTH
from retrieval.domain.roles import Role


def _encodable(text: str) -> str:
    r"""JSON can spell half of a surrogate pair, such as "\ud800"; no model and no index can take it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PydanticCustomError("string_unicode", "must be valid Unicode") from error
    return text


def _dated(moment: object) -> object:
    """Pydantic would take a number, also a written one, for seconds since 1970."""
    if not isinstance(moment, str) or not re.match(r"\d{4}-\d\d-\d\dT", moment, re.ASCII):
        raise PydanticCustomError("moment_form", "must be a date and time")
    return moment


Moment = Annotated[AwareDatetime, BeforeValidator(_dated)]
Text = Annotated[str, AfterValidator(_encodable)]
SourceId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
EntityId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]

_AT_LEAST = (
    "A consistency token from an earlier response. The answer then stands on a state at least as new: a permission revoked before "
    "the token was given is certainly in force. 503 when the index cannot get there in time."
)
_AS_OF = (
    "A time with a zone, such as 2026-03-01T09:00:00Z, or a consistency token from an earlier response: what was current then answers, as "
    "far as you may read it now. 422 for the future and for what is no longer kept. "
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

    query: Text = Field(description="What is sought, in words. Every hit holds what stands in double quotes, word by word.")
    top_k: int | None = Field(None, description="Most hits to return; the service has a default and an upper limit.")
    sources: list[SourceId] = Field(default=[], description="Only these sources; empty: every one that you may read.")
    at_least: str | None = Field(None, description=_AT_LEAST)
    as_of: str | None = Field(None, description=_AS_OF + "What reviewers have said and the graph are left out.")
    curated: bool = Field(default=False, description="Show what a reviewer has said to the same question, too.")
    explain: bool = Field(default=False, description="Say of each hit why it stands at its rank and why you may read it.")


class AnswerRequest(BaseModel):
    """A question to be answered."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"query": "How many days may I work from abroad?"}]},
    )

    query: Text = Field(description="The question, in words.")
    sources: list[SourceId] = Field(default=[], description="Only these sources; empty: every one that you may read.")
    at_least: str | None = Field(None, description=_AT_LEAST)
    as_of: str | None = Field(None, description=_AS_OF + "Nobody is asked then: what is not answered is an abstention.")
    include_passages: bool = Field(default=False, description="Return the passages that the answer was sought in, too.")
    escalate: bool | None = Field(
        None, description="Whether a person shall look at the question if it is not answered; null: as the service is set up."
    )


class NoParameters(BaseModel):
    """A route that takes none refuses any: what a caller meant by it would not be heeded."""

    model_config = ConfigDict(extra="forbid")


class DocumentParameters(BaseModel):
    """Which part of a document's text to show. Offsets count Unicode characters of the version's text from 0."""

    model_config = ConfigDict(extra="forbid")

    version: str | None = Field(None, max_length=100, description="The version that a citation names; 404 when it is not the current one.")
    start: int | None = Field(None, ge=0, description="First character of the span to show; needs `end`.")
    end: int | None = Field(None, ge=0, description="The character after the span; needs `start`.")
    context: int | None = Field(None, ge=0, description="Characters to show on either side of the span; the service has a default.")


MAX_VERSION_NUMBER = 2**31 - 1


class DiffParameters(BaseModel):
    """Which two versions of a document to compare, by their numbers."""

    model_config = ConfigDict(extra="forbid")

    before: int = Field(alias="from", ge=1, le=MAX_VERSION_NUMBER, description="Number of the version that it is compared with.")
    after: int = Field(alias="to", ge=1, le=MAX_VERSION_NUMBER, description="Number of the version that is compared.")


class PageParameters(BaseModel):
    """Which part of a list to show."""

    model_config = ConfigDict(extra="forbid")

    limit: int | None = Field(None, ge=1, description="Most entries to show; the service has a default and an upper limit.")
    cursor: Text | None = Field(
        None, max_length=MAX_CURSOR_CHARACTERS, description="`next_cursor` of the page before, asked by the same principal."
    )


class DocumentListParameters(PageParameters):
    """Which part of the list of documents to show."""

    source: SourceId | None = Field(None, description="Only documents of this source.")


class EntityListParameters(PageParameters):
    """Which entities to list."""

    name: Text = Field(description="How a name begins, whatever its case; the service has limits on its length.")


class NeighbourhoodParameters(BaseModel):
    """Whose neighbourhood to show, and how much of it."""

    model_config = ConfigDict(extra="forbid")

    entity: EntityId = Field(description="The entity in the middle.")
    depth: int = Field(1, ge=1, description="Most relations between it and what is shown; the service has an upper limit.")
    limit: int | None = Field(None, ge=1, description="Most entities to show; the service has a default and an upper limit.")


class CreateKeyRequest(BaseModel):
    """Terms of a new API key."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"principal": "app:intranet", "label": "the intranet's search box", "expires_days": 365},
                {"principal": "user:ann", "roles": ["auditor"], "sources": ["handbook"]},
            ]
        },
    )

    principal: Text = Field(max_length=MAX_SUBJECT_LENGTH, description="For whom it speaks: `user:<id>` or `app:<id>`.")
    roles: list[Text] = Field(default=[], max_length=len(Role), description="What it is good for; empty: `app`. Never `user`.")
    sources: list[SourceId] | None = Field(
        None, min_length=1, description="The only sources it is good for; null: every one that its principal may read."
    )
    label: Text = Field("", max_length=MAX_LABEL_LENGTH, description="What the key is for, so that you know it again in the list.")
    expires_days: int | None = Field(None, ge=1, le=MAX_DAYS, description="Days until it stops working; null: never.")
