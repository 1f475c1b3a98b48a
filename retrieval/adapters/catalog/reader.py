"""Documents as one principal may see them."""

import json
from typing import Any

from sqlalchemy import Connection, Row, func, select

from retrieval.adapters.catalog.authority import Authority
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import document_versions, documents, parsed, texts
from retrieval.domain.documents import VersionState
from retrieval.domain.errors import NotReadable
from retrieval.domain.permissions import Principal
from retrieval.ports.reading import ReadableDocument, VersionSummary

_SHOWN = (VersionState.CURRENT.value, VersionState.SUPERSEDED.value)


class CatalogDocuments:
    """`DocumentReader` over the catalog."""

    def __init__(self, database: Database, authority: Authority) -> None:
        self._database = database
        self._authority = authority

    def document(self, principal: Principal, document: str) -> ReadableDocument:
        with self._database.read() as connection:
            classes = self._authority.scope(connection, principal).classes
            row = connection.execute(
                select(
                    documents.c.source,
                    document_versions,
                    texts.c.text.label("body"),
                    func.length(texts.c.text).label("characters"),
                    texts.c.elements,
                    parsed.c.metadata,
                )
                .join(document_versions, document_versions.c.id == documents.c.current_version)
                .join(texts, texts.c.hash == document_versions.c.text)
                .join(parsed, parsed.c.key == document_versions.c.parsed)
                .where(
                    documents.c.id == document,
                    documents.c.access_class.in_(classes),
                    document_versions.c.state == VersionState.CURRENT.value,
                )
            ).one_or_none()
            if row is None:
                raise NotReadable("there is no such document, or you may not read it")
            return _readable(row, _versions(connection, document))


def _versions(connection: Connection, document: str) -> tuple[VersionSummary, ...]:
    rows = connection.execute(
        select(document_versions, func.length(texts.c.text).label("characters"))
        .join(texts, texts.c.hash == document_versions.c.text)
        .where(document_versions.c.document == document, document_versions.c.state.in_(_SHOWN))
        .order_by(document_versions.c.number.desc())
    )
    return tuple(_summary(row) for row in rows)


def _summary(row: Row[Any]) -> VersionSummary:
    return VersionSummary(row.id, row.number, row.state, row.content_hash, row.published_at, row.characters)


def _readable(row: Row[Any], versions: tuple[VersionSummary, ...]) -> ReadableDocument:
    return ReadableDocument(
        id=row.document,
        source=row.source,
        title=row.title,
        uri=row.uri,
        media_type=row.media_type,
        version=_summary(row),
        versions=versions,
        metadata=json.loads(row.metadata),
        text=row.body,
        pages=_pages(json.loads(row.elements)),
    )


def _pages(elements: list[list[Any]]) -> tuple[tuple[int, int, int], ...]:
    """Neighbouring elements of one page make one (page, start, end)."""
    pages: list[tuple[int, int, int]] = []
    for start, end, _kind, page, _headings in elements:
        if page is None:
            continue
        if pages and pages[-1][0] == page:
            pages[-1] = (page, pages[-1][1], max(end, pages[-1][2]))
        else:
            pages.append((page, start, end))
    return tuple(pages)
