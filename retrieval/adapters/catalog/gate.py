"""The catalog as the last word: what a principal may read now, and whether a found passage is still what it was."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select

from retrieval.adapters.catalog.classes import passages_in, readable_classes, subjects_of
from retrieval.adapters.catalog.engine import Database, current_revision
from retrieval.adapters.catalog.tables import document_versions, documents, passages
from retrieval.domain.documents import Span, VersionState
from retrieval.domain.ids import text_hash
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.ports.reading import Candidate, Gated

_LIVE = (
    select(
        passages,
        documents.c.access_class,
        documents.c.id.label("document"),
        documents.c.source,
        document_versions.c.number,
        document_versions.c.title,
        document_versions.c.uri,
        document_versions.c.media_type,
        document_versions.c.modified_at,
    )
    .join(document_versions, document_versions.c.id == passages.c.version)
    .join(documents, documents.c.id == document_versions.c.document)
    .where(passages.c.id.in_(bindparam("ids", expanding=True)), document_versions.c.state == VersionState.CURRENT.value)
)


class CatalogGate:
    """`ScopeReader` and `GateReader` over the catalog. Every call is one snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def scope(self, principal: Principal) -> AccessScope:
        with self._database.read() as connection:
            subjects = subjects_of(connection, principal)
            classes = readable_classes(connection, subjects)
            return AccessScope(principal, subjects, classes, current_revision(connection), passages_in(connection, classes))

    def gate(self, principal: Principal, candidates: Sequence[Candidate]) -> Gated:
        with self._database.read() as connection:
            revision = current_revision(connection)
            classes = frozenset(readable_classes(connection, subjects_of(connection, principal)))
            rows = connection.execute(_LIVE, {"ids": [c.passage for c in candidates]}).all() if candidates else []
        live = {row.id: row for row in rows if row.access_class in classes}
        altered = tuple(c.passage for c in candidates if c.passage in live and text_hash(c.text) != live[c.passage].text_hash)
        readable = tuple(_readable(live[c.passage], c.text, revision) for c in candidates if c.passage in live and c.passage not in altered)
        return Gated(readable, revision, withheld=len(candidates) - len(readable), altered=altered)


def _readable(row: Row[Any], text: str, revision: int) -> ReadablePassage:
    return ReadablePassage(
        id=row.id,
        document=row.document,
        version=row.version,
        version_number=row.number,
        source=row.source,
        ordinal=row.ordinal,
        span=Span(row.span_start, row.span_end),
        text=text,
        page=row.page,
        heading_path=tuple(json.loads(row.heading_path)),
        title=row.title,
        uri=row.uri,
        media_type=row.media_type,
        modified_at=row.modified_at,
        revision=revision,
    )
