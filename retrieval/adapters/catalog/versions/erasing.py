"""Taking documents out of the catalog for good: every version, and every row that names them but those of the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, or_, select

from retrieval.adapters.catalog.engine import next_revision
from retrieval.adapters.catalog.graph.storing import forget_documents
from retrieval.adapters.catalog.outbox import announce
from retrieval.adapters.catalog.publishing import withdraw
from retrieval.adapters.catalog.tables import (
    document_versions,
    documents,
    embeddings,
    graph_documents,
    inspected_texts,
    parsed,
    passages,
    pushed_documents,
    quarantine,
    texts,
    token_vectors,
)
from retrieval.adapters.catalog.versions.planning import portions
from retrieval.adapters.catalog.versions.removing import Removed, remove_versions, unused_contents
from retrieval.adapters.catalog.versions.tombstones import bury
from retrieval.domain.audit import AuditEntry


@dataclass(frozen=True)
class Erased:
    """What is gone. `contents`: hashes of original bytes that nothing uses any more."""

    removed: Removed
    documents: int
    graphs: int


def family(connection: Connection, wanted: Sequence[str]) -> list[Row[Any]]:
    """The documents and their attachments."""
    return [
        row
        for some in portions(wanted)
        for row in connection.execute(select(documents).where(or_(documents.c.id.in_(some), documents.c.parent.in_(some))))
    ]


def erase_documents(connection: Connection, rows: Sequence[Row[Any]], entry: AuditEntry, *, at: str) -> Erased:
    """Remove these documents, from which nothing is derived any more but the graph. `entry` records which."""
    contents: set[str] = set()
    removed = Removed()
    graphs = 0
    for some in portions(rows, _AT_ONCE):
        ids = [row.id for row in some]
        withdraw(connection, ids, entry, at=at)
        announce(connection, ids, revision=next_revision(connection), access_only=False)
        held = connection.scalars(select(graph_documents.c.document).where(graph_documents.c.document.in_(ids))).all()
        if held:
            graphs += forget_documents(connection, held).facts_removed
        bury(connection, [(row.id, row.source) for row in some], at=at)
        contents |= {hash_ for row in some for hash_ in (row.content_hash, row.listed_fingerprint) if hash_}
        versions = connection.scalars(select(document_versions.c.id).where(document_versions.c.document.in_(ids))).all()
        removed.add(remove_versions(connection, versions))
        connection.execute(delete(quarantine).where(quarantine.c.document.in_(ids)))
        pushed = [{"of": row.source, "named": row.key} for row in some]
        contents |= {row.content_hash for each in pushed for row in connection.execute(_PUSHED, each)}
        connection.execute(_UNPUSH, pushed)
    for some in portions([row for row in rows if row.parent], _AT_ONCE):
        connection.execute(delete(documents).where(documents.c.id.in_([row.id for row in some])))
    for some in portions([row for row in rows if not row.parent], _AT_ONCE):
        connection.execute(delete(documents).where(documents.c.id.in_([row.id for row in some])))
    sweep(connection, removed)
    removed.contents |= unused_contents(connection, contents)
    return Erased(removed, len(rows), graphs)


def sweep(connection: Connection, removed: Removed) -> None:
    """Remove texts and vectors that no version uses, such as those of contents that were staged and dropped."""
    used = select(passages.c.id).where(passages.c.embedded_hash == embeddings.c.text_hash).exists()
    removed.embeddings += connection.execute(delete(embeddings).where(~embeddings.c.model.like(_OF_QUESTIONS), ~used)).rowcount
    used = select(passages.c.id).where(passages.c.embedded_hash == token_vectors.c.text_hash).exists()
    connection.execute(delete(token_vectors).where(~used))
    connection.execute(delete(parsed).where(~select(document_versions.c.id).where(document_versions.c.parsed == parsed.c.key).exists()))
    unread = (
        ~select(document_versions.c.id).where(document_versions.c.text == texts.c.hash).exists(),
        ~select(parsed.c.key).where(parsed.c.text == texts.c.hash).exists(),
    )
    removed.texts += connection.execute(delete(texts).where(*unread)).rowcount
    connection.execute(delete(inspected_texts).where(~select(texts.c.hash).where(texts.c.hash == inspected_texts.c.text).exists()))


_AT_ONCE = 500
_OF_QUESTIONS = "% question"
"""Models as they embed questions: those vectors are of curated answers."""
_PUSHED_ONE = (pushed_documents.c.source == bindparam("of"), pushed_documents.c.key == bindparam("named"))
_PUSHED = select(pushed_documents.c.content_hash).where(*_PUSHED_ONE)
_UNPUSH = delete(pushed_documents).where(*_PUSHED_ONE)
