"""Removing versions that nobody sees any more and no term keeps, in bounded transactions."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import curated_citations, document_versions, graph_documents, sources, validity
from retrieval.adapters.catalog.versions.intervals import revision_at
from retrieval.adapters.catalog.versions.planning import portions
from retrieval.adapters.catalog.versions.removing import remove_history
from retrieval.domain.audit import AuditAction, AuditedDocument, AuditEntry, spread
from retrieval.domain.clock import stamp
from retrieval.domain.documents import VersionState
from retrieval.domain.errors import InvalidInput
from retrieval.domain.retention import RetentionCounts, RetentionTerms


class CatalogRetention:
    """`Retention` over the catalog.

    Args:
        default: the terms of sources whose owners say nothing.
        batch: documents in one transaction.
    """

    def __init__(self, database: Database, default: RetentionTerms, *, batch: int) -> None:
        self._database = database
        self._default = default
        self._batch = batch

    def beyond(self, source: str, terms: RetentionTerms) -> RetentionCounts:
        with self._database.read() as connection:
            rows = self._rows(connection, source, terms)
        return RetentionCounts(
            documents=len({row.document for row in rows}), versions=len(rows), passages=sum(row.passages or 0 for row in rows)
        )

    def remove(self, source: str, terms: RetentionTerms, *, by: str, remove_content: Callable[[str], bool]) -> RetentionCounts:
        with self._database.read() as connection:
            waiting = sorted({row.document for row in self._rows(connection, source, terms)})
        done = RetentionCounts()
        for some in portions(waiting, self._batch):
            with self._database.write() as connection:
                rows = [row for row in self._rows(connection, source, terms) if row.document in set(some)]
                done = done.plus(self._remove(connection, source, rows, by, remove_content))
        return done

    def _rows(self, connection: Connection, source: str, terms: RetentionTerms) -> Sequence[Row[Any]]:
        if connection.scalar(select(sources.c.id).where(sources.c.id == source)) is None:
            raise InvalidInput.of("source", "there is no such source")
        said = terms.or_default(self._default)
        until = revision_at(connection, stamp(self._database.clock.now() - timedelta(days=said.keep_days or 0)))
        return connection.execute(_BEYOND, {"source": source, "kept": said.keep_versions or 0, "until": until or 0}).all()

    def _remove(
        self, connection: Connection, source: str, rows: Sequence[Row[Any]], by: str, remove_content: Callable[[str], bool]
    ) -> RetentionCounts:
        if not rows:
            return RetentionCounts()
        removed = remove_history(connection, [row.id for row in rows])
        concerned = sorted({row.document for row in rows})
        entry = AuditEntry(AuditAction.VERSIONS_REMOVED, by, details={"source": source, "versions": removed.versions})
        append(connection, *spread(entry, [AuditedDocument(document) for document in concerned]), at=self._database.now())
        contents = sum(remove_content(hash_) for hash_ in sorted(removed.contents))
        return RetentionCounts(len(concerned), removed.versions, removed.passages, removed.embeddings, removed.texts, contents)


_ENDED = (
    select(validity.c.version, func.max(validity.c.valid_to).label("ended"))
    .join(document_versions, document_versions.c.id == validity.c.version)
    .where(document_versions.c.source == bindparam("source"))
    .group_by(validity.c.version)
    .subquery("ended")
)
_PLACED = (
    select(
        document_versions.c.id,
        document_versions.c.document,
        document_versions.c.passages,
        _ENDED.c.ended,
        func.row_number().over(partition_by=document_versions.c.document, order_by=_ENDED.c.ended.desc()).label("place"),
    )
    .join(_ENDED, _ENDED.c.version == document_versions.c.id)
    .where(document_versions.c.state.in_([VersionState.SUPERSEDED.value, VersionState.WITHDRAWN.value]))
    .subquery("placed")
)
_STOOD_ON = (
    select(graph_documents.c.document).where(graph_documents.c.version == _PLACED.c.id).exists(),
    select(curated_citations.c.curated).where(curated_citations.c.version == _PLACED.c.id).exists(),
)
"""The graph moves on with the next run, and curated answers with the upkeep: then the versions that they stood on go."""
_BEYOND: Select[Any] = (
    select(_PLACED)
    .where(_PLACED.c.place > bindparam("kept"), _PLACED.c.ended <= bindparam("until"))
    .where(*(~stood_on for stood_on in _STOOD_ON))
    .order_by(_PLACED.c.document, _PLACED.c.ended)
)
