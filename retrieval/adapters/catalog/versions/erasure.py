"""Erasing for good, in one transaction that also keeps the signed report of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.audit.secrecy import keys_of, make_keys
from retrieval.adapters.catalog.engine import Database, translated
from retrieval.adapters.catalog.escalations.rows import EscalationSecrets
from retrieval.adapters.catalog.tables import (
    document_versions,
    documents,
    erasures,
    glossaries,
    glossary_terms,
    source_measures,
    source_runs,
    sources,
)
from retrieval.adapters.catalog.versions.erasing import Erased, erase_documents, family
from retrieval.adapters.catalog.versions.planning import portions
from retrieval.adapters.catalog.versions.removing import remove_history
from retrieval.adapters.catalog.versions.searching import documents_named, versions_saying
from retrieval.adapters.catalog.versions.traces import remove_traces
from retrieval.domain.audit import AuditAction, AuditEntry
from retrieval.domain.documents import VersionState
from retrieval.domain.erasure import ErasureKind, ErasurePlan, ErasureReport, ErasureRequest, hashed_id
from retrieval.domain.errors import CatalogUnavailable, InvalidInput
from retrieval.domain.sources import SourceState

Sign = Callable[[ErasureReport], ErasureReport]


@dataclass(frozen=True)
class _Found:
    """What a request is about: documents to erase, attachments included, and old versions of documents that stay."""

    rows: Sequence[Row[Any]]
    old: Sequence[str]


class CatalogErasure:
    """`Erasure` over the catalog.

    Args:
        most: documents that one erasure removes.
    """

    def __init__(self, database: Database, *, most: int) -> None:
        self._database = database
        self._most = most

    def plan(self, request: ErasureRequest) -> ErasurePlan:
        with self._database.read() as connection:
            found = self._found(connection, request)
            ids = [row.id for row in found.rows]
            versions = sum(
                connection.scalar(select(func.count()).select_from(document_versions).where(document_versions.c.document.in_(some))) or 0
                for some in portions(ids)
            )
        by_source: dict[str, int] = {}
        for row in found.rows:
            by_source[row.source] = by_source.get(row.source, 0) + 1
        return ErasurePlan(by_source, versions, len(found.old))

    def erase(
        self,
        request: ErasureRequest,
        *,
        by: str,
        id_: str,
        also: Mapping[str, int],
        sign: Sign,
        remove_content: Callable[[str], bool],
    ) -> ErasureReport:
        make_keys(self._database)
        secrets = EscalationSecrets.of(self._database)
        with self._database.write() as connection:
            now = self._database.now()
            found = self._found(connection, request)
            ids = [row.id for row in found.rows]
            _fence(connection, found, request)
            counts = {**also, **remove_traces(connection, ids, found.old, request.words, keys=keys_of(connection), secrets=secrets)}
            entry = AuditEntry(AuditAction.DOCUMENTS_ERASED, by, details={"erasure": id_})
            erased = erase_documents(connection, found.rows, entry, at=now)
            erased.removed.add(remove_history(connection, found.old))
            if request.kind is ErasureKind.SOURCE:
                _empty_source(connection, request.source, by)
            counts |= _counts(erased, sum(remove_content(hash_) for hash_ in sorted(erased.removed.contents)))
            hashes = tuple(sorted(map(hashed_id, ids)))
            report = sign(ErasureReport(id_, now, by, request.kind, request.reason, counts, hashes))
            connection.execute(insert(erasures).values(id=id_, at=now, report=json.dumps(report.as_json(), sort_keys=True)))
            done = {"erasure": id_, "kind": request.kind.value, "documents": len(ids), "versions": erased.removed.versions}
            append(connection, AuditEntry(AuditAction.DOCUMENTS_ERASED, by, outcome="erased", details=done), at=now)
        return report

    def reports(self) -> list[ErasureReport]:
        with self._database.read() as connection:
            return [
                ErasureReport.from_json(json.loads(row)) for row in connection.scalars(select(erasures.c.report).order_by(erasures.c.at))
            ]

    def overwrite(self) -> None:
        """Have the database's files hold nothing any more of what its rows held before. Takes as long as copying the catalog.

        Raises:
            CatalogUnavailable: somebody reads or writes just now: nothing is lost, do it again.
        """
        with closing(self._database.engine.raw_connection()) as raw, translated():
            connection: Any = raw.driver_connection
            if not self._database.is_sqlite:
                connection.autocommit = True
                connection.execute("VACUUM FULL")
                connection.autocommit = False
                return
            connection.execute("VACUUM")
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise CatalogUnavailable("erased, but not yet overwritten in the catalog's log file: do it again")

    def _found(self, connection: Connection, request: ErasureRequest) -> _Found:
        if request.source and connection.scalar(select(sources.c.id).where(sources.c.id == request.source)) is None:
            raise InvalidInput.of("source", "there is no such source")
        old: list[str] = []
        if request.kind is ErasureKind.SOURCE:
            wanted = connection.scalars(select(documents.c.id).where(documents.c.source == request.source)).all()
        elif request.kind is ErasureKind.DOCUMENT:
            wanted = connection.scalars(
                select(documents.c.id).where(documents.c.id == request.document, documents.c.source == request.source)
            ).all()
            if not wanted:
                raise InvalidInput.of("document", "there is no such document in this source")
        else:
            wanted, old = _saying(connection, request)
        rows = family(connection, list(wanted))
        if len(rows) > self._most:
            raise InvalidInput.of("documents", "more than one erasure may remove", limit=f"{self._most} documents")
        return _Found(list({row.id: row for row in rows}.values()), old)


def _saying(connection: Connection, request: ErasureRequest) -> tuple[list[str], list[str]]:
    """Documents that say it now, will with the next run, or that nobody reads any more; and old versions of documents that stay."""
    if not request.words:
        return [], []
    said = versions_saying(connection, request.words, source=request.source)
    rows = [row for some in portions(sorted(said)) for row in connection.execute(_SAID.where(document_versions.c.id.in_(some)))]
    gone = {row.document for row in rows if row.state in _SEEN_OR_WAITING or row.current_version is None}
    old = sorted(row.id for row in rows if row.document not in gone)
    return sorted(gone | documents_named(connection, request.words, source=request.source)), old


_SAID = select(document_versions.c.id, document_versions.c.document, document_versions.c.state, documents.c.current_version).join(
    documents, documents.c.id == document_versions.c.document
)
_SEEN_OR_WAITING = (VersionState.CURRENT.value, VersionState.STAGED.value)


def _fence(connection: Connection, found: _Found, request: ErasureRequest) -> None:
    """Stop whatever works on the sources concerned: it may hold what is erased."""
    concerned = {row.source for row in found.rows} | ({request.source} if request.source else set())
    connection.execute(update(sources).where(sources.c.id.in_(sorted(concerned))).values(run_token=sources.c.run_token + 1))


def _empty_source(connection: Connection, source: str, by: str) -> None:
    """Close it for good. What is registered of it stays, for the record."""
    for table in (glossary_terms, glossaries, source_measures):
        connection.execute(delete(table).where(table.c.source == source))
    connection.execute(update(source_runs).where(source_runs.c.source == source).values(problem=None))
    closed = {"state": SourceState.RETIRED.value, "registered_by": by}
    connection.execute(update(sources).where(sources.c.id == source).values(**closed))


def _counts(erased: Erased, contents: int) -> dict[str, int]:
    removed = erased.removed
    return {
        "documents": erased.documents,
        "versions": removed.versions,
        "passages": removed.passages,
        "embeddings": removed.embeddings,
        "texts": removed.texts,
        "original contents": contents,
        "documents in the graph": erased.graphs,
    }
