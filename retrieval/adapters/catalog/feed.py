"""The catalog as indexes follow it: what changed, and what an index should hold of each document."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import cast

import numpy as np
from sqlalchemy import Connection, bindparam, func, literal, select, union_all

from retrieval.adapters.catalog.engine import Database, current_revision
from retrieval.adapters.catalog.tables import access_classes, changes, document_versions, documents, embeddings, passages, texts, validity
from retrieval.domain.documents import VersionState
from retrieval.domain.passages import IndexedDocument, IndexedPassage
from retrieval.ports.writing import Change

SNAPSHOT_DOCUMENTS = 200
"""Documents read at once while an index is built from nothing."""


class CatalogFeed:
    """`ChangeFeed` over the catalog, with the embeddings of one model."""

    def __init__(self, database: Database, model: str) -> None:
        self._database = database
        self._model = model

    def revision(self) -> int:
        with self._database.read() as connection:
            return current_revision(connection)

    def changes(self, after: int, *, limit: int) -> list[Change]:
        with self._database.read() as connection:
            rows = list(connection.execute(_CHANGES.limit(limit), {"after": after, "until": current_revision(connection)}))
            if len(rows) == limit:  # the last revision may be cut in two: take all of it
                rows = list(connection.execute(_CHANGES, {"after": after, "until": rows[-1].revision}))
        return [Change(row.revision, row.document, access_only=bool(row.access_only)) for row in rows]

    def passage_count(self) -> int:
        """How many passages an index built now would hold."""
        with self._database.read() as connection:
            return int(connection.scalar(select(func.sum(access_classes.c.passages))) or 0)

    def indexed_documents(self, wanted: Sequence[str]) -> list[IndexedDocument]:
        with self._database.read() as connection:
            found = {document.document: document for document in self._read(connection, wanted)}
        return [found.get(id_) or IndexedDocument(id_, "", 0, "", 0, ()) for id_ in wanted]

    @contextmanager
    def snapshot(self) -> Iterator[tuple[int, Iterator[IndexedDocument]]]:
        with self._database.read() as connection:
            revision = current_revision(connection)
            wanted = connection.scalars(
                select(documents.c.id).where(documents.c.current_version.is_not(None)).order_by(documents.c.id)
            ).all()
            batches = (wanted[at : at + SNAPSHOT_DOCUMENTS] for at in range(0, len(wanted), SNAPSHOT_DOCUMENTS))
            yield revision, (document for batch in batches for document in self._read(connection, batch))

    def _read(self, connection: Connection, wanted: Sequence[str]) -> Iterator[IndexedDocument]:
        rows = connection.execute(_PASSAGES, {"documents": list(wanted), "model": self._model}).all()
        bodies = {row.id: row.text for row in connection.execute(_BODIES, {"documents": list(wanted)})}
        for _, of_document in groupby(rows, key=attrgetter("document")):
            group = list(of_document)
            first = group[0]
            yield IndexedDocument(
                document=first.document,
                source=first.source,
                access_class=first.access_class,
                version=first.version,
                valid_from=first.valid_from,
                passages=tuple(
                    IndexedPassage(
                        row.id,
                        row.ordinal,
                        bodies[row.version][row.span_start : row.span_end],
                        row.prefix,
                        cast(Sequence[float], np.frombuffer(row.vector, dtype="<f4")),
                    )
                    for row in group
                ),
            )


_CONTENT = select(changes.c.document, changes.c.content_revision.label("revision"), literal(value=False).label("access_only"))
_ACCESS = select(changes.c.document, changes.c.revision, literal(value=True)).where(changes.c.revision > changes.c.content_revision)
_CHANGED = union_all(
    _CONTENT.where(changes.c.content_revision > bindparam("after"), changes.c.content_revision <= bindparam("until")),
    _ACCESS.where(changes.c.revision > bindparam("after"), changes.c.revision <= bindparam("until")),
).subquery()
_CHANGES = select(_CHANGED).order_by(_CHANGED.c.revision, _CHANGED.c.document)
"""A document whose passages changed and whose readers changed later comes twice: a follower that stops between the two has its passages."""
_IS_CURRENT = (
    documents.c.id.in_(bindparam("documents", expanding=True)),
    document_versions.c.state == VersionState.CURRENT.value,
)
_PASSAGES = (
    select(
        passages.c.id,
        passages.c.ordinal,
        passages.c.span_start,
        passages.c.span_end,
        passages.c.prefix,
        passages.c.version,
        validity.c.valid_from,
        documents.c.id.label("document"),
        documents.c.source,
        documents.c.access_class,
        embeddings.c.vector,
    )
    .join(document_versions, document_versions.c.id == passages.c.version)
    .join(documents, documents.c.current_version == document_versions.c.id)
    .join(validity, (validity.c.version == document_versions.c.id) & validity.c.valid_to.is_(None))
    .join(embeddings, (embeddings.c.text_hash == passages.c.embedded_hash) & (embeddings.c.model == bindparam("model")))
    .where(*_IS_CURRENT)
    .order_by(documents.c.id, passages.c.ordinal)
)
_BODIES = (
    select(document_versions.c.id, texts.c.text)
    .join(documents, documents.c.current_version == document_versions.c.id)
    .join(texts, texts.c.hash == document_versions.c.text)
    .where(*_IS_CURRENT)
)
