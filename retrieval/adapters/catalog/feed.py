"""The catalog as indexes follow it: what changed, and what an index should hold of each document."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Any, cast

import numpy as np
from sqlalchemy import Connection, Row, bindparam, func, literal, or_, select, union_all

from retrieval.adapters.catalog.embedding_models import searched_models
from retrieval.adapters.catalog.engine import Database, current_revision
from retrieval.adapters.catalog.history import MAY_BE_READ_OF_THE_PAST, ValidVersion, oldest_revision
from retrieval.adapters.catalog.tables import changes, document_versions, documents, embeddings, passages, sources, texts, validity
from retrieval.domain.documents import VersionState
from retrieval.domain.passages import IndexedDocument, IndexedPassage, PastVersion
from retrieval.ports.writing import Change

SNAPSHOT_DOCUMENTS = 200
"""Documents read at once while an index is built from nothing."""


class CatalogFeed:
    """`ChangeFeed` over the catalog, with the embeddings of one model, and of those that are searched beside it.

    Args:
        model: whose embedding is a passage's `vector`. Where the registry knows more that are searched, `vectors` holds all of theirs.
        past_days: for how many days a version is followed that was current; 0: none is.
    """

    def __init__(self, database: Database, model: str, *, past_days: int = 0) -> None:
        self._database = database
        self._model = model
        self._past_days = past_days

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
            return int(connection.scalar(_PASSAGE_COUNT, {"oldest": self._oldest(connection)}) or 0)

    def indexed_documents(self, wanted: Sequence[str]) -> list[IndexedDocument]:
        with self._database.read() as connection:
            found = {document.document: document for document in self._read(connection, wanted)}
        return [found.get(id_) or IndexedDocument(id_, "", 0, "", 0, ()) for id_ in wanted]

    @contextmanager
    def snapshot(self) -> Iterator[tuple[int, Iterator[IndexedDocument]]]:
        with self._database.read() as connection:
            revision = current_revision(connection)
            wanted = connection.scalars(_DOCUMENTS, {"oldest": self._oldest(connection)}).all()
            batches = (wanted[at : at + SNAPSHOT_DOCUMENTS] for at in range(0, len(wanted), SNAPSHOT_DOCUMENTS))
            yield revision, (document for batch in batches for document in self._read(connection, batch))

    def _read(self, connection: Connection, wanted: Sequence[str]) -> Iterator[IndexedDocument]:
        asked = {"documents": list(wanted), "oldest": self._oldest(connection)}
        bodies = {row.id: row.text for row in connection.execute(_BODIES, asked)}
        cut: dict[str, tuple[IndexedPassage, ...]] = {}
        vectors = self._vectors(connection, asked)
        for version, rows in groupby(connection.execute(_PASSAGES, asked), key=attrgetter("version")):
            cut[version] = tuple(self._passage(row, bodies[version], vectors.get(row.embedded_hash, {})) for row in rows)
        intervals = connection.execute(_VERSIONS, asked)
        for _, of_document in groupby(intervals, key=attrgetter("document")):
            told = list(of_document)
            versions = [ValidVersion.of(of_version) for _, of_version in groupby(told, key=attrgetter("version"))]
            yield _document(told[0], versions, cut)

    def _vectors(self, connection: Connection, asked: Mapping[str, object]) -> dict[str, dict[str, Sequence[float]]]:
        """By hash of the embedded text, then by model."""
        found: dict[str, dict[str, Sequence[float]]] = {}
        for row in connection.execute(_VECTORS, {**asked, "models": sorted({self._model, *searched_models(connection)})}):
            found.setdefault(row.text_hash, {})[row.model] = cast(Sequence[float], np.frombuffer(row.vector, dtype="<f4"))
        return found

    def _passage(self, row: Row[Any], body: str, vectors: dict[str, Sequence[float]]) -> IndexedPassage:
        beside = vectors if vectors.keys() - {self._model} else {}
        return IndexedPassage(row.id, row.ordinal, body[row.span_start : row.span_end], row.prefix, vectors.get(self._model, ()), beside)

    def _oldest(self, connection: Connection) -> int:
        return oldest_revision(connection, self._database, self._past_days)


def _document(row: Row[Any], versions: Sequence[ValidVersion], cut: dict[str, tuple[IndexedPassage, ...]]) -> IndexedDocument:
    current = next((version for version in versions if version.valid_to is None), None)
    return IndexedDocument(
        document=row.document,
        source=row.source,
        access_class=row.access_class,
        version=current.id if current else "",
        valid_from=current.valid_from if current else 0,
        passages=cut.get(current.id, ()) if current else (),
        gaps=current.gaps if current else (),
        past=tuple(
            PastVersion(version.id, version.valid_from, version.valid_to, cut[version.id], version.gaps)
            for version in versions
            if version.valid_to is not None and version.id in cut
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
_IS_CURRENT = document_versions.c.state == VersionState.CURRENT.value
_once = validity.alias("once")
_IS_FOLLOWED = or_(
    _IS_CURRENT,
    (document_versions.c.state != VersionState.STAGED.value)
    & MAY_BE_READ_OF_THE_PAST
    & select(_once.c.version).where(_once.c.version == document_versions.c.id, _once.c.valid_to > bindparam("oldest")).exists(),
)
"""Condition on `document_versions`, `documents` and `sources`: is current, or was and may still be asked for."""
_OF_DOCUMENTS = documents.c.id.in_(bindparam("documents", expanding=True))
_VERSIONS = (
    select(
        validity.c.version,
        validity.c.valid_from,
        validity.c.valid_to,
        documents.c.id.label("document"),
        documents.c.source,
        documents.c.access_class,
    )
    .join(document_versions, document_versions.c.id == validity.c.version)
    .join(documents, documents.c.id == document_versions.c.document)
    .join(sources, sources.c.id == documents.c.source)
    .where(_OF_DOCUMENTS, _IS_FOLLOWED)
    .order_by(documents.c.id, document_versions.c.number, validity.c.valid_from)
)
_PASSAGES = (
    select(
        passages.c.id,
        passages.c.ordinal,
        passages.c.span_start,
        passages.c.span_end,
        passages.c.prefix,
        passages.c.version,
        passages.c.embedded_hash,
    )
    .join(document_versions, document_versions.c.id == passages.c.version)
    .join(documents, documents.c.id == document_versions.c.document)
    .join(sources, sources.c.id == documents.c.source)
    .where(_OF_DOCUMENTS, _IS_FOLLOWED)
    .order_by(passages.c.version, passages.c.ordinal)
)
_VECTORS = select(embeddings).where(
    embeddings.c.model.in_(bindparam("models", expanding=True)),
    embeddings.c.text_hash.in_(_PASSAGES.with_only_columns(passages.c.embedded_hash).order_by(None)),
)
_BODIES = (
    select(document_versions.c.id, texts.c.text)
    .join(documents, documents.c.id == document_versions.c.document)
    .join(sources, sources.c.id == documents.c.source)
    .join(texts, texts.c.hash == document_versions.c.text)
    .where(_OF_DOCUMENTS, _IS_FOLLOWED)
)
_FOLLOWED = (
    select(document_versions)
    .join(documents, documents.c.id == document_versions.c.document)
    .join(sources, sources.c.id == documents.c.source)
    .where(_IS_FOLLOWED)
)
_DOCUMENTS = _FOLLOWED.with_only_columns(documents.c.id).distinct().order_by(documents.c.id)
_PASSAGE_COUNT = _FOLLOWED.with_only_columns(func.sum(document_versions.c.passages))
