"""What rollbacks hold back from runs: a content that is not published again, or an absence that withdraws nothing."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

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


def drop(connection: Connection, of: Sequence[str]) -> None:
    """Hold back nothing of these documents any more."""
    connection.execute(delete(holds).where(holds.c.document.in_(list(of))))
