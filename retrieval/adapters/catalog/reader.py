"""Documents as one principal may see them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from retrieval.adapters.catalog.authority import Authority
from retrieval.adapters.catalog.classes import among
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.history import MAY_BE_READ_OF_THE_PAST
from retrieval.adapters.catalog.tables import document_versions, documents, parsed, sources, texts
from retrieval.domain.documents import VersionState
from retrieval.domain.errors import NotReadable
from retrieval.domain.permissions import Principal
from retrieval.ports.reading import DocumentPage, ListedDocument, ReadableDocument, VersionSummary

_SHOWN = (VersionState.CURRENT.value, VersionState.SUPERSEDED.value)
_CLASS_OF = select(documents.c.access_class).where(documents.c.id == bindparam("document"))
"""Asked first and alone, so that a hidden document costs what an absent one costs."""
_LIST = (
    select(
        documents.c.id,
        documents.c.source,
        document_versions.c.title,
        document_versions.c.uri,
        document_versions.c.media_type,
        document_versions.c.id.label("version"),
        document_versions.c.number,
        document_versions.c.modified_at,
    )
    .join(document_versions, document_versions.c.id == documents.c.current_version)
    .where(document_versions.c.state == VersionState.CURRENT.value)
    .order_by(documents.c.id)
)

_HOLDING = (
    select(document_versions.c.content_hash, documents.c.source)
    .join(documents, documents.c.current_version == document_versions.c.id)
    .where(
        document_versions.c.state == VersionState.CURRENT.value, document_versions.c.content_hash.in_(bindparam("hashes", expanding=True))
    )
    .distinct()
)
HASHES_AT_ONCE = 10_000
"""Contents asked for in one statement: databases limit its parameters."""


class CatalogDocuments:
    """`DocumentReader` and `ContentReader` over the catalog."""

    def __init__(self, database: Database, authority: Authority) -> None:
        self._database = database
        self._authority = authority

    def document(self, principal: Principal, document: str) -> ReadableDocument:
        with self._database.read() as connection:
            resolved = self._authority.resolved(connection, principal)
            access_class = connection.scalar(_CLASS_OF, {"document": document})
            if access_class not in resolved.classes:
                raise _nothing_there()
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
                .where(documents.c.id == document, document_versions.c.state == VersionState.CURRENT.value)
            ).one_or_none()
            if row is None:
                raise _nothing_there()
            found = _readable(row, _versions(connection, document))
            return replace(found, access_class=access_class, revision=resolved.scope.revision)

    def documents(self, principal: Principal, *, source: str | None, after: str, count: int) -> DocumentPage:
        with self._database.read() as connection:
            scope = self._authority.resolved(connection, principal).scope
            if scope.is_empty:
                return DocumentPage((), more=False, revision=scope.revision)
            wanted = _LIST.where(documents.c.id > after, among(connection, scope.classes)).limit(count + 1)
            if source is not None:
                wanted = wanted.where(documents.c.source == source)
            rows = connection.execute(wanted).all()
            return DocumentPage(tuple(ListedDocument(*row) for row in rows[:count]), more=len(rows) > count, revision=scope.revision)

    def holding(self, principal: Principal, contents: Sequence[str], *, besides: str) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        with self._database.read() as connection:
            scope = self._authority.resolved(connection, principal).scope
            readable = _HOLDING.where(among(connection, scope.classes), documents.c.source != besides)
            for start in range(0, 0 if scope.is_empty else len(contents), HASHES_AT_ONCE):
                for content_hash, source in connection.execute(readable, {"hashes": contents[start : start + HASHES_AT_ONCE]}):
                    found.setdefault(content_hash, set()).add(source)
        return {content_hash: frozenset(held) for content_hash, held in found.items()}


def _nothing_there() -> NotReadable:
    return NotReadable("there is no such document, or you may not read it")


def _versions(connection: Connection, document: str) -> tuple[VersionSummary, ...]:
    rows = connection.execute(
        select(document_versions, func.length(texts.c.text).label("characters"))
        .join(texts, texts.c.hash == document_versions.c.text)
        .join(documents, documents.c.id == document_versions.c.document)
        .join(sources, sources.c.id == documents.c.source)
        .where(document_versions.c.document == document, document_versions.c.state.in_(_SHOWN), MAY_BE_READ_OF_THE_PAST)
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
