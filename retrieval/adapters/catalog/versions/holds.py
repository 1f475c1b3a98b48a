"""What rollbacks hold back from runs: a content that is not published again, or an absence that withdraws nothing."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from retrieval.adapters.catalog.engine import next_revision
from retrieval.adapters.catalog.outbox import announce
from retrieval.adapters.catalog.tables import documents, holds

IS_HELD_ABSENT = select(holds.c.document).where(holds.c.document == documents.c.id, holds.c.content_hash.is_(None)).exists()
"""Condition on `documents`: was brought back although its source lacks it."""


def keeps_back(connection: Connection, document: str, content_hash: str) -> bool:
    """Whether this content of the document is held. Another content ends the hold: the source has changed."""
    held = connection.execute(select(holds.c.content_hash).where(holds.c.document == document)).one_or_none()
    if held is None:
        return False
    if held.content_hash == content_hash:
        return True
    drop(connection, [document])
    return False


def hold(connection: Connection, contents: Sequence[tuple[str, str | None]], *, by: str, at: str) -> None:
    """Hold back these (document, content hash) pairs; None is the absence."""
    rows = [{"document": document, "content_hash": hash_, "held_at": at, "held_by": by} for document, hash_ in contents]
    if rows:
        connection.execute(insert(holds), rows)


def forget(connection: Connection, of: Sequence[str]) -> list[str]:
    """Hold back nothing of these documents any more. Returns which of them were held; indexes have to be told of those."""
    held = list(connection.scalars(select(holds.c.document).where(holds.c.document.in_(list(of)))))
    if held:
        connection.execute(delete(holds).where(holds.c.document.in_(held)))
    return held


def drop(connection: Connection, of: Sequence[str]) -> None:
    """The same, and indexes are told: what was held back may be read of the past again."""
    held = forget(connection, of)
    if held:
        announce(connection, held, revision=next_revision(connection), access_only=False)
