"""Taking versions out of the catalog for good, with everything that only they used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, func, select, update

from retrieval.adapters.catalog.engine import next_revision
from retrieval.adapters.catalog.graph.storing import forget_documents
from retrieval.adapters.catalog.outbox import announce
from retrieval.adapters.catalog.tables import (
    document_versions,
    documents,
    embeddings,
    graph_documents,
    inspected_texts,
    parsed,
    passages,
    pushed_documents,
    texts,
    token_vectors,
    validity,
)
from retrieval.adapters.catalog.versions.planning import portions


@dataclass
class Removed:
    """What has been removed. `contents`: hashes of original bytes that no version is of any more; whoever removes them does so."""

    versions: int = 0
    passages: int = 0
    embeddings: int = 0
    texts: int = 0
    contents: set[str] = field(default_factory=set)

    def add(self, other: "Removed") -> None:
        self.versions += other.versions
        self.passages += other.passages
        self.embeddings += other.embeddings
        self.texts += other.texts
        self.contents |= other.contents


def remove_versions(connection: Connection, versions: Sequence[str]) -> Removed:
    """Remove these versions, which nothing shows any more: no document points at them, no graph and no curated answer stands on them."""
    removed = Removed()
    for some in portions(versions):
        _remove(connection, some, removed)
    return removed


def remove_history(connection: Connection, versions: Sequence[str]) -> Removed:
    """Remove versions of documents that stay. Their histories begin later from now on, and indexes are told, in one revision."""
    rows = [row for some in portions(versions) for row in connection.execute(_ENDS, {"versions": some})]
    if not rows:
        return Removed()
    ended: dict[str, int] = {}
    for row in rows:
        ended[row.document] = max(row.ended, ended.get(row.document, 0))
    held = [
        document
        for some in portions(versions)
        for document in connection.scalars(select(graph_documents.c.document).where(graph_documents.c.version.in_(some)))
    ]
    if held:
        forget_documents(connection, held)
    removed = remove_versions(connection, versions)
    connection.execute(_HISTORY, [{"changed": document, "from": at} for document, at in sorted(ended.items())])
    announce(connection, ended, revision=next_revision(connection), access_only=False)
    return removed


def _remove(connection: Connection, versions: list[str], removed: Removed) -> None:
    of_these = document_versions.c.id.in_(versions)
    rows = connection.execute(select(document_versions).where(of_these)).all()
    embedded = set(connection.scalars(select(passages.c.embedded_hash).where(passages.c.version.in_(versions))))
    removed.passages += connection.execute(delete(passages).where(passages.c.version.in_(versions))).rowcount
    connection.execute(delete(validity).where(validity.c.version.in_(versions)))
    removed.versions += connection.execute(delete(document_versions).where(of_these)).rowcount
    bare = unused(connection, embedded, passages.c.embedded_hash)
    removed.embeddings += _delete(connection, embeddings, embeddings.c.text_hash, bare)
    _delete(connection, token_vectors, token_vectors.c.text_hash, bare)
    _delete(connection, parsed, parsed.c.key, unused(connection, {row.parsed for row in rows}, document_versions.c.parsed))
    spoken = unused(connection, {row.text for row in rows}, document_versions.c.text, parsed.c.text)
    removed.texts += _delete(connection, texts, texts.c.hash, spoken)
    _delete(connection, inspected_texts, inspected_texts.c.text, spoken)
    removed.contents |= unused_contents(connection, {row.content_hash for row in rows})


def unused_contents(connection: Connection, hashes: Iterable[str]) -> set[str]:
    """Those of the hashes that are of no version, no document as its source has it, no attachment and nothing pushed."""
    used_by = (document_versions.c.content_hash, documents.c.content_hash, documents.c.listed_fingerprint, pushed_documents.c.content_hash)
    return unused(connection, hashes, *used_by)


def unused(connection: Connection, values: Iterable[str], *columns: ColumnElement[Any]) -> set[str]:
    """Those of the values that are in none of the columns."""
    left = set(values)
    for column in columns:
        for some in portions(sorted(left)):
            left -= set(connection.scalars(select(column).where(column.in_(some)).distinct()))
    return left


def _delete(connection: Connection, table: Table, column: ColumnElement[Any], values: set[str]) -> int:
    return sum(connection.execute(delete(table).where(column.in_(some))).rowcount for some in portions(sorted(values)))


_ENDS = (
    select(document_versions.c.document, func.max(validity.c.valid_to).label("ended"))
    .join(validity, validity.c.version == document_versions.c.id)
    .where(document_versions.c.id.in_(bindparam("versions", expanding=True)))
    .group_by(document_versions.c.document)
)
_HISTORY = (
    update(documents)
    .where(documents.c.id == bindparam("changed"), func.coalesce(documents.c.history_from, 0) < bindparam("from"))
    .values(history_from=bindparam("from"))
)
