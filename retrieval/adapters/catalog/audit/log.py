"""`AuditLog` and `AuditReader` over the catalog.

Measured (`tests/benchmarks/audit.py`, SQLite with WAL and synchronous=FULL): on a quiet disk a bare durable commit takes 0.06 ms, and a
read of ten passages records itself in 0.65 ms, nearly all of it SQLAlchemy. On a disk that others keep busy a commit takes 2.2 ms; four
threads then write 180 records a second each in its own commit and 620 in common ones (`group.py`), which cost a lone caller nothing. A
thread that does all the writing would add two hand-overs to every read.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, or_, select

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.audit.group import GroupCommit
from retrieval.adapters.catalog.audit.secrecy import make_keys, opened_queries, overwrite_freed_space, replace_query_keys
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import audit, audit_documents
from retrieval.domain.audit import SHOWING, AuditAction, AuditEntry, AuditFilter, AuditRecord, actors
from retrieval.domain.clock import stamp
from retrieval.domain.permissions import Principal

_FETCHED = 1_000
"""Records held at once while all of them are read."""


class CatalogAudit:
    """The audit log of one catalog. Records may come from many threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._committing = GroupCommit(self._write)
        self._has_keys = False

    def record(self, entry: AuditEntry) -> None:
        self._committing.write(entry)

    def read(
        self, principal: Principal, wanted: AuditFilter, *, before: int | None = None, limit: int, request_id: str | None = None
    ) -> list[AuditRecord]:
        with self._database.read() as connection:
            rows = connection.execute(_page(wanted, before).limit(limit)).all()
        actor, act_for = actors(principal)
        asked = {
            "person": wanted.person,
            "document": wanted.document,
            "action": wanted.action,
            "since": stamp(wanted.since) if wanted.since else None,
            "until": stamp(wanted.until) if wanted.until else None,
            "records": len(rows),
        }
        self.record(AuditEntry(AuditAction.AUDIT_READ, actor, act_for, request_id=request_id, details=asked))
        return [_record(row) for row in rows]

    def export(self, principal: Principal) -> Iterator[AuditRecord]:
        """Every record, oldest first, as of one moment. Recorded before the first is given out."""
        actor, act_for = actors(principal)
        self.record(AuditEntry(AuditAction.AUDIT_READ, actor, act_for, details={"records": "all"}))
        whole = select(audit.c.seq, audit.c.prev_hash, audit.c.hash, audit.c.record).order_by(audit.c.seq)
        with self._database.read() as connection:
            for row in connection.execution_options(yield_per=_FETCHED).execute(whole):
                yield _record(row)

    def decrypt(self, principal: Principal, records: Sequence[AuditRecord]) -> list[str | None]:
        """The query text of each record; None where there was none or its key has been destroyed. Recorded before it is given out."""
        self._make_keys()
        opened = opened_queries(self._database, [record.record for record in records])
        actor, act_for = actors(principal)
        numbers = [str(record.seq) for record, text in zip(records, opened, strict=True) if text is not None]
        self.record(AuditEntry(AuditAction.QUERIES_DECRYPTED, actor, act_for, details={"records": numbers}))
        return opened

    def forget_queries(self, principal: Principal) -> None:
        """Make the query text of every record so far unreadable for good. Copies of the database made earlier keep their own key."""
        self._make_keys()
        actor, act_for = actors(principal)
        with self._database.write() as connection:
            if self._database.is_sqlite:
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            replace_query_keys(connection)
            append(connection, AuditEntry(AuditAction.QUERIES_FORGOTTEN, actor, act_for), at=self._database.now())
        overwrite_freed_space(self._database)

    def _write(self, entries: Sequence[AuditEntry]) -> None:
        self._make_keys()
        with self._database.write() as connection:
            append(connection, *entries, at=self._database.now())

    def _make_keys(self) -> None:
        if not self._has_keys:
            make_keys(self._database)
            self._has_keys = True


def _page(wanted: AuditFilter, before: int | None) -> Select[Any]:
    page = select(audit.c.seq, audit.c.prev_hash, audit.c.hash, audit.c.record).order_by(audit.c.seq.desc())
    if before is not None:
        page = page.where(audit.c.seq < before)
    if wanted.person is not None:
        page = page.where(or_(audit.c.actor == wanted.person, audit.c.act_for == wanted.person))
    if wanted.document is not None:
        page = page.join(audit_documents, audit_documents.c.seq == audit.c.seq).where(audit_documents.c.document == wanted.document)
    if wanted.action is not None:
        page = page.where(audit.c.action == wanted.action.value)
    if wanted.shown_only:
        page = page.where(audit.c.action.in_(sorted(SHOWING)))
    if wanted.since is not None:
        page = page.where(audit.c.at >= stamp(wanted.since))
    if wanted.until is not None:
        page = page.where(audit.c.at < stamp(wanted.until))
    return page


def _record(row: Row[Any]) -> AuditRecord:
    return AuditRecord(int(row.seq), bytes(row.prev_hash), bytes(row.hash), row.record)
