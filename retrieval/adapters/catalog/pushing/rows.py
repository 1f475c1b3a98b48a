"""Pushed documents as rows of their table."""

import json
from typing import Any

from sqlalchemy import Connection, Row, select

from retrieval.adapters.catalog.tables import pushed_documents
from retrieval.domain.clock import stamp, unstamp
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.pushing import PushedDocument


def row_for(connection: Connection, source: str, key: str) -> Row[Any] | None:
    mine = (pushed_documents.c.source == source, pushed_documents.c.key == key)
    return connection.execute(select(pushed_documents).where(*mine)).one_or_none()


def document_of(row: Row[Any]) -> PushedDocument:
    return PushedDocument(
        key=row.key,
        content_hash=row.content_hash,
        size_bytes=row.size_bytes,
        uri=row.uri,
        policy=AccessPolicy.of(json.loads(row.allow), json.loads(row.deny)),
        media_type=row.media_type,
        title=row.title,
        modified_at=None if row.modified_at is None else unstamp(row.modified_at),
    )


def row_of(document: PushedDocument) -> dict[str, object]:
    """What the application said, without the place, the order and the sender."""
    return {
        "fingerprint": document.fingerprint,
        "content_hash": document.content_hash,
        "size_bytes": document.size_bytes,
        "media_type": document.media_type,
        "title": document.title,
        "uri": document.uri,
        "modified_at": None if document.modified_at is None else stamp(document.modified_at),
        "allow": json.dumps(sorted(document.policy.allow)),
        "deny": json.dumps(sorted(document.policy.deny)),
    }
