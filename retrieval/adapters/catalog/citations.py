"""Receipts of citations in the catalog.

Keeping those of one answer takes one durable commit, which answers given at the same time share (`tests/benchmarks/citations.py`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from retrieval.adapters.catalog.audit.group import GroupCommit
from retrieval.adapters.catalog.authority import Authority
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import citation_receipts, document_versions, documents, passages, texts
from retrieval.domain.answers import Citation
from retrieval.domain.citations import CheckedCitation, CitationReceipt, CitationState, CurrentVersion, QuotedNow, place_of
from retrieval.domain.clock import stamp
from retrieval.domain.documents import Span, VersionState
from retrieval.domain.errors import CatalogUnavailable, NotReadable
from retrieval.domain.ids import text_hash
from retrieval.domain.permissions import Principal

_CONTENT_HASHES = select(document_versions.c.id, document_versions.c.content_hash).where(
    document_versions.c.id.in_(bindparam("versions", expanding=True))
)
_LAST_RECEIPT = (
    select(citation_receipts)
    .where(citation_receipts.c.reader == bindparam("reader"), citation_receipts.c.citation == bindparam("citation"))
    .where(citation_receipts.c.given_at > bindparam("since"))
    .order_by(citation_receipts.c.number.desc())
    .limit(1)
)
_CLASS_OF = select(documents.c.access_class).where(documents.c.id == bindparam("document"))
"""Asked alone, so that a hidden document costs what an erased one costs."""
_CURRENT = (
    select(document_versions, texts.c.text.label("body"))
    .join(documents, documents.c.current_version == document_versions.c.id)
    .join(texts, texts.c.hash == document_versions.c.text)
    .where(documents.c.id == bindparam("document"), document_versions.c.state == VersionState.CURRENT.value)
)
_TEXT_OF = (
    select(texts.c.text)
    .join(document_versions, document_versions.c.text == texts.c.hash)
    .where(document_versions.c.id == bindparam("version"))
)
_IS_KEPT = select(document_versions.c.id).where(document_versions.c.id == bindparam("version"))
_PASSAGE_AT = (
    select(passages.c.page, passages.c.heading_path)
    .where(
        passages.c.version == bindparam("version"), passages.c.span_start <= bindparam("start"), passages.c.span_end > bindparam("start")
    )
    .order_by(passages.c.ordinal)
    .limit(1)
)


@dataclass(frozen=True)
class _Given:
    """What one answer cites, and to whom it is given."""

    reader: str
    citations: tuple[Citation, ...]
    request_id: str | None


class CatalogCitations:
    """`CitationReceipts` and `CitationReader` over the catalog. Receipts may come from many threads and processes."""

    def __init__(self, database: Database, authority: Authority, *, kept_days: int) -> None:
        self._database = database
        self._authority = authority
        self._kept = timedelta(days=kept_days)
        self._committing = GroupCommit(self._write)

    def keep(self, principal: Principal, citations: Sequence[Citation], *, request_id: str | None = None) -> None:
        if citations:
            self._committing.write(_Given(principal.subject, tuple(citations), request_id))

    def check(self, principal: Principal, citation: str) -> CheckedCitation:
        with self._database.read() as connection:
            resolved = self._authority.resolved(connection, principal)
            row = connection.execute(
                _LAST_RECEIPT, {"reader": principal.subject, "citation": citation, "since": self._forgotten_until()}
            ).one_or_none()
            if row is None:
                raise NotReadable("there is no such citation, or it was not given to you")
            receipt, revision = _receipt(row), resolved.scope.revision
            access_class = connection.scalar(_CLASS_OF, {"document": receipt.document})
            if access_class not in resolved.classes:
                return CheckedCitation(receipt, CitationState.NOT_READABLE, revision=revision)
            current = connection.execute(_CURRENT, {"document": receipt.document}).one_or_none()
            if current is None:
                return CheckedCitation(receipt, CitationState.WITHDRAWN, revision=revision)
            quoted = _quoted(connection, receipt, current)
            if quoted is None and connection.scalar(_IS_KEPT, {"version": receipt.version}) is None:
                return CheckedCitation(receipt, CitationState.WITHDRAWN, access_class=access_class, revision=revision)
        is_intact = quoted is not None and quoted.span == receipt.span
        state = CitationState.INTACT if is_intact else CitationState.CHANGED
        return CheckedCitation(receipt, state, _version(current), quoted, access_class, revision)

    def _write(self, together: Sequence[_Given]) -> None:
        now = self._database.now()
        with self._database.write() as connection:
            versions = sorted({citation.version for given in together for citation in given.citations})
            hashes = {row.id: row.content_hash for row in connection.execute(_CONTENT_HASHES, {"versions": versions})}
            if len(hashes) < len(versions):
                raise CatalogUnavailable("a version that is cited is no longer there")
            connection.execute(delete(citation_receipts).where(citation_receipts.c.given_at <= self._forgotten_until()))
            rows = [_columns(given, citation, hashes[citation.version], now) for given in together for citation in given.citations]
            connection.execute(insert(citation_receipts), rows)

    def _forgotten_until(self) -> str:
        return stamp(self._database.clock.now() - self._kept)


def _columns(given: _Given, citation: Citation, content_hash: str, now: str) -> dict[str, Any]:
    return {
        "reader": given.reader,
        "citation": citation.id,
        "document": citation.document,
        "version": citation.version,
        "version_number": citation.version_number,
        "content_hash": content_hash,
        "passage": citation.passage,
        "span_start": citation.span.start,
        "span_end": citation.span.end,
        "quote_hash": text_hash(citation.quote),
        "given_at": now,
        "request_id": given.request_id,
    }


def _receipt(row: Row[Any]) -> CitationReceipt:
    return CitationReceipt(
        citation=row.citation,
        document=row.document,
        version=row.version,
        version_number=row.version_number,
        content_hash=row.content_hash,
        passage=row.passage,
        span=Span(row.span_start, row.span_end),
        quote_hash=row.quote_hash,
        given_at=row.given_at,
        request_id=row.request_id,
    )


def _quoted(connection: Connection, receipt: CitationReceipt, current: Row[Any]) -> QuotedNow | None:
    cited = current.body if current.id == receipt.version else connection.scalar(_TEXT_OF, {"version": receipt.version})
    span = place_of(receipt, cited, current.body)
    if span is None:
        return None
    at = connection.execute(_PASSAGE_AT, {"version": current.id, "start": span.start}).one_or_none()
    headings = () if at is None else tuple(json.loads(at.heading_path))
    return QuotedNow(span, span.of(current.body), None if at is None else at.page, headings)


def _version(row: Row[Any]) -> CurrentVersion:
    return CurrentVersion(row.id, row.number, row.content_hash, row.title, row.uri)
