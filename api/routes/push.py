"""PUT, DELETE and GET /sources/{id}/documents/{key}: for applications that know when one of their documents changes."""

import base64
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.declared import requires
from api.dependencies import Caller, Unparametrised, Wired
from api.errors import request_id_of
from api.idempotency import idempotent
from api.responses.pushed import PushedResponse
from api.schemas import Moment, Text
from retrieval.domain.errors import InvalidInput
from retrieval.domain.pushing import MAX_SEQUENCE
from retrieval.domain.roles import Role
from retrieval.push_service import Push
from retrieval.settings import Settings

PREFIX = "/sources/"
"""Of the paths whose bodies hold documents."""
ADDRESS = PREFIX + "{id}/documents/{key:path}"
ENVELOPE_BYTES = 256 * 1024
"""Room in a body for what is said of a document, its subjects above all."""

router = APIRouter(route_class=idempotent(requires(Role.PUBLISHER)), tags=["sources"])


@dataclass(frozen=True)
class Address:
    """Which document of which source."""

    id: str
    key: str


At = Annotated[Address, Depends()]


class PushRequest(BaseModel):
    """A document with its readers."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"text": "# Leave\n\nEverybody has 30 days.", "media_type": "text/markdown", "allow": ["group:staff"], "sequence": 7},
                {"content": "JVBERi0xLjcK", "title": "Offer 4711", "uri": "https://crm.example.com/offers/4711", "allow": ["user:ann"]},
            ]
        },
    )

    text: Text | None = Field(None, description="The document, if it is text. Either this or `content`.")
    content: str | None = Field(None, description="The document's bytes in base64 (RFC 4648, with padding). Either this or `text`.")
    media_type: str = Field(
        "", max_length=200, description="Type and subtype, in lower case; empty: as the key's extension and the bytes say."
    )
    title: Text = Field("", description="Empty: the document's own.")
    uri: Text = Field("", description="URL with http or https where a reader finds the original.")
    modified_at: Moment | None = Field(None, strict=False, description="When the original was changed last.")
    allow: list[Text] = Field(default=[], description="Subjects who may read it; none: nobody. They replace those that were pushed before.")
    deny: list[Text] = Field(default=[], description="Subjects who may not, whatever else allows them.")
    sequence: int | None = Field(
        None,
        ge=0,
        le=MAX_SEQUENCE,
        description="Your own count of this document's changes: a lower one comes too late, 409. Null: arrival.",
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> "PushRequest":
        if (self.text is None) == (self.content is None):
            raise PydanticCustomError("content_once", "give either 'text' or 'content'")
        return self

    def push(self, key: str) -> Push:
        """Raises InvalidInput naming `content` when it is not base64."""
        is_plain = self.text is not None and not self.media_type and not PurePosixPath(key).suffix
        return Push(
            content=_bytes_of(self.content) if self.text is None else self.text.encode(),
            allow=tuple(self.allow),
            deny=tuple(self.deny),
            media_type="text/plain" if is_plain else self.media_type,
            title=self.title,
            uri=self.uri,
            modified_at=self.modified_at,
            sequence=self.sequence,
        )


class DeletionParameters(BaseModel):
    """In which order the deletion comes."""

    model_config = ConfigDict(extra="forbid")

    sequence: int | None = Field(None, ge=0, le=MAX_SEQUENCE, description="As with PUT. Null: deletions and puts count as they arrive.")


@router.put(ADDRESS, summary="Push a document")
def push(at: At, body: PushRequest, caller: Caller, parts: Wired, request: Request) -> PushedResponse:
    """Keep this content and these readers under the key, in place of what was there; the same again changes nothing.

    When you have the answer the document is kept for good. Who may read what is published of it has changed with the answer; the
    content is published by the source's next run, which begins within seconds and takes everything that was pushed until then.
    """
    request_id = request_id_of(request)
    status = parts.wiring.pushing.put(caller, at.id, at.key, body.push(at.key), request_id=request_id)
    return PushedResponse.of(at.id, status, request_id=request_id)


@router.delete(ADDRESS, summary="Delete a pushed document")
def unpush(at: At, wanted: Annotated[DeletionParameters, Query()], caller: Caller, parts: Wired, request: Request) -> PushedResponse:
    """Nobody reads it any more when you have the answer. Deleting it again changes nothing; one that was never pushed is a 404,
    unless a `sequence` is to be remembered.
    """
    request_id = request_id_of(request)
    status = parts.wiring.pushing.delete(caller, at.id, at.key, sequence=wanted.sequence, request_id=request_id)
    return PushedResponse.of(at.id, status, request_id=request_id)


@router.get(ADDRESS, summary="How a pushed document stands")
def pushed(at: At, _none: Unparametrised, caller: Caller, parts: Wired, request: Request) -> PushedResponse:
    """Whether it is published, and why not. Its text is not shown: who publishes is not for that reason a reader."""
    return PushedResponse.of(at.id, parts.wiring.pushing.status(caller, at.id, at.key), request_id=request_id_of(request))


def largest_body(settings: Settings) -> int:
    """Bytes of a body that holds the largest document in base64."""
    return settings.push_max_document_bytes * 4 // 3 + ENVELOPE_BYTES


def _bytes_of(written: str | None) -> bytes:
    try:
        return base64.b64decode(written or "", validate=True)
    except ValueError as error:
        raise InvalidInput.of("content", "is not base64 with padding") from error
