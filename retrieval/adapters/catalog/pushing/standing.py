"""What has become of a pushed document: worked out from the ledger each time, so that it is never out of date."""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from retrieval.adapters.catalog.pushing.rows import document_of
from retrieval.adapters.catalog.tables import document_versions, documents, pushed_documents, quarantine
from retrieval.domain.errors import NotReadable
from retrieval.domain.pushing import NO_READERS, PushState, PushStatus


def standing_of(connection: Connection, source: str, key: str, *, is_changed: bool = False) -> PushStatus:
    """Raises NotReadable when it was never pushed."""
    row = connection.execute(_STANDING, {"source": source, "key": key}).one_or_none()
    if row is None:
        raise NotReadable("it was never pushed")
    state = _state(row)
    reason = row.rejected if state is PushState.QUARANTINED else None
    if reason is None and state is not PushState.DELETED and not document_of(row).policy.names_a_reader:
        reason = NO_READERS
    published_at = row.published_at if state is PushState.PUBLISHED else None
    return PushStatus(key, state, row.sequence, row.pushed_at, is_changed=is_changed, reason=reason, published_at=published_at)


def _state(row: Row[Any]) -> PushState:
    if row.is_deleted:
        return PushState.DELETED
    is_taken = row.taken_fingerprint == row.fingerprint
    if row.rejected is not None and (is_taken or row.rejected_hash is None):
        return PushState.QUARANTINED
    return PushState.PUBLISHED if is_taken and row.published_hash == row.content_hash else PushState.ACCEPTED


_STANDING = (
    select(
        pushed_documents,
        documents.c.taken_fingerprint,
        document_versions.c.content_hash.label("published_hash"),
        document_versions.c.published_at,
        quarantine.c.reason.label("rejected"),
        quarantine.c.content_hash.label("rejected_hash"),
    )
    .join(documents, (documents.c.source == pushed_documents.c.source) & (documents.c.key == pushed_documents.c.key), isouter=True)
    .join(document_versions, document_versions.c.id == documents.c.current_version, isouter=True)
    .join(quarantine, quarantine.c.document == documents.c.id, isouter=True)
    .where(pushed_documents.c.source == bindparam("source"), pushed_documents.c.key == bindparam("key"))
)
