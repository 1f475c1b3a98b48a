"""Sources as their owners see them: counts, never titles."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from retrieval.ports.sources import SourceStatus


class SourceOut(BaseModel):
    """How a source stands. Counts are of documents."""

    id: str
    title: str
    kind: str
    owner: str
    state: Literal["active", "paused", "retired"]
    classification: Literal["public", "internal", "confidential", "restricted"]
    region: str = Field(description="Where its documents may be read; empty: anywhere.")
    documents: int
    readable: int = Field(description="Documents whose permissions name a reader and that are published.")
    nobody_reads: int = Field(description="Documents whose permissions name no reader.")
    quarantined: int = Field(description="Documents that could not be parsed.")
    last_success_at: str | None
    permissions_read_at: str | None
    permissions_stale: Literal["fresh", "warned", "withheld"] = Field(
        description="Whether the permissions are too old to be believed; `withheld`: until they are read again nobody reads its documents."
    )

    @classmethod
    def of(cls, status: SourceStatus) -> "SourceOut":
        source, spec = status.source, status.source.spec
        return cls(
            id=spec.id,
            title=spec.title,
            kind=spec.kind,
            owner=spec.owner,
            state=source.state.value,
            classification=spec.classification.value,
            region=spec.region,
            documents=status.documents,
            readable=status.readable,
            nobody_reads=status.nobody_reads,
            quarantined=status.quarantined,
            last_success_at=source.last_success_at,
            permissions_read_at=status.permissions_read_at,
            permissions_stale=status.permissions.value,
        )


class SourceListResponse(BaseModel):
    """A page of the sources that you own."""

    request_id: str
    sources: list[SourceOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")

    @classmethod
    def of(cls, sources: Sequence[SourceStatus], *, request_id: str, next_cursor: str | None) -> "SourceListResponse":
        return cls(request_id=request_id, sources=[SourceOut.of(status) for status in sources], next_cursor=next_cursor)
