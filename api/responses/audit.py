"""Records of the audit log as auditors see them: never the text of a query, not even encrypted."""

import json
from collections.abc import Sequence

from pydantic import BaseModel, Field

from retrieval.domain.audit import AuditRecord


class AuditedPassageOut(BaseModel):
    """A passage that was shown."""

    id: str
    text_hash: str = Field(description="BLAKE2b-256 of its text.")


class AuditedDocumentOut(BaseModel):
    """A document that the record names."""

    document: str
    version: str | None = None
    access_class: int | None = Field(None, description="The permissions under which it was shown, or which it was given.")
    content_hash: str | None = Field(None, description="BLAKE2b-256 of the original bytes, where the document itself was shown.")
    passages: list[AuditedPassageOut] = []


class AuditRecordOut(BaseModel):
    """One link of the chain."""

    seq: int
    at: str
    revision: int = Field(description="The catalog's at which it was true.")
    request_id: str | None = None
    actor: str = Field(description="The principal whose credential it was.")
    act_for: str | None = Field(None, description="The person for whom an application asked.")
    action: str
    decision: str = Field(description="`allowed` or `denied`.")
    outcome: str
    documents: list[AuditedDocumentOut] = []
    index_revision: int | None = None
    model: str | None = None
    query_hmac: str | None = Field(None, description="Equal for equal queries; says nothing else of them.")
    asked_hmac: str | None = Field(None, description="The id that was asked for and not given, hashed under a key.")
    details: dict[str, str | int | list[str]] = {}
    hash: str = Field(description="BLAKE2b-256 over the hash before and the record.")

    @classmethod
    def of(cls, record: AuditRecord) -> "AuditRecordOut":
        said = json.loads(record.record)
        return cls.model_validate({**{name: said[name] for name in cls.model_fields.keys() & said.keys()}, "hash": record.hash.hex()})


class AuditResponse(BaseModel):
    """A page of the audit log, newest first."""

    request_id: str
    records: list[AuditRecordOut]
    next_cursor: str | None = Field(description="For the records before these; null when there are none.")

    @classmethod
    def of(cls, records: Sequence[AuditRecord], *, request_id: str, next_cursor: str | None) -> "AuditResponse":
        return cls(request_id=request_id, records=[AuditRecordOut.of(record) for record in records], next_cursor=next_cursor)
