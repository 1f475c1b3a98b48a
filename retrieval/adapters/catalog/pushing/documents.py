"""Documents that applications push. What a change means for readers happens in the transaction that keeps it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.automation import pushes_of, remember
from retrieval.adapters.catalog.classes import class_of
from retrieval.adapters.catalog.contracts.restricting import limited
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.listing import reclassify
from retrieval.adapters.catalog.publishing import withdraw
from retrieval.adapters.catalog.pushing.rows import document_of, row_for, row_of
from retrieval.adapters.catalog.pushing.standing import standing_of
from retrieval.adapters.catalog.tables import documents, pushed_documents, source_automation, sources
from retrieval.domain.audit import AuditAction, AuditedDocument, AuditEntry
from retrieval.domain.errors import Conflict, InvalidInput, NotReadable
from retrieval.domain.ids import document_id
from retrieval.domain.permissions import NOBODY
from retrieval.domain.pushing import PushedDocument, PushStatus
from retrieval.domain.source_kinds import PUSH
from retrieval.domain.sources import SourceState
from retrieval.ports.pushing import Change


class CatalogPushedDocuments:
    """`PushedDocuments` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, source: str, document: PushedDocument, change: Change, *, max_documents: int) -> PushStatus:
        with self._database.write() as connection:
            _open(connection, source)
            before = row_for(connection, source, document.key)
            same = before is not None and not before.is_deleted and document_of(before) == document
            sequence = _sequence(before, change, is_same=same)
            if same:
                return self._remembered(connection, source, document.key, sequence)
            if before is None or before.is_deleted:
                _count(connection, source, 1, at_most=max_documents)
            values = row_of(document) | self._stamped(change, sequence) | {"is_deleted": False}
            _keep(connection, source, document.key, values, is_new=before is None)
            classes = _readers_now(connection, source, document)
            _pushed(connection, source)
            moved = [AuditedDocument(id_, access_class=to) for id_, to in sorted(classes.items())]
            named = moved or [AuditedDocument(document_id(source, document.key))]
            append(connection, _entry(AuditAction.DOCUMENT_PUSHED, source, change, named), at=self._database.now())
            return standing_of(connection, source, document.key, is_changed=True)

    def delete(self, source: str, key: str, change: Change) -> PushStatus:
        with self._database.write() as connection:
            _open(connection, source)
            before = row_for(connection, source, key)
            if before is None and change.sequence is None:
                raise NotReadable("it was never pushed")
            same = before is not None and before.is_deleted
            sequence = _sequence(before, change, is_same=same)
            if same:
                return self._remembered(connection, source, key, sequence)
            values = self._stamped(change, sequence) | {"is_deleted": True}
            _keep(connection, source, key, values if before is not None else row_of(_nothing(key)) | values, is_new=before is None)
            if before is not None:
                _count(connection, source, -1)
            _pushed(connection, source)
            id_ = document_id(source, key)
            family = connection.scalars(select(documents.c.id).where((documents.c.id == id_) | (documents.c.parent == id_))).all()
            if family:
                withdraw(connection, family, _entry(AuditAction.DOCUMENTS_WITHDRAWN, source, change), at=self._database.now())
            append(connection, _entry(AuditAction.DOCUMENT_UNPUSHED, source, change, [AuditedDocument(id_)]), at=self._database.now())
            return standing_of(connection, source, key, is_changed=True)

    def status(self, source: str, key: str) -> PushStatus:
        with self._database.read() as connection:
            _takes_pushes(connection.execute(select(sources).where(sources.c.id == source)).one_or_none())
            return standing_of(connection, source, key)

    def listed(self, source: str, *, after: str, count: int) -> Sequence[PushedDocument]:
        kept = select(pushed_documents).where(pushed_documents.c.source == source, pushed_documents.c.is_deleted.is_(False))
        with self._database.read() as connection:
            rows = connection.execute(kept.where(pushed_documents.c.key > after).order_by(pushed_documents.c.key).limit(count))
            return [document_of(row) for row in rows]

    def find(self, source: str, key: str) -> PushedDocument | None:
        with self._database.read() as connection:
            row = row_for(connection, source, key)
        return None if row is None or row.is_deleted else document_of(row)

    def _stamped(self, change: Change, sequence: int) -> dict[str, object]:
        by = change.actor if change.act_for is None else change.act_for
        return {"sequence": sequence, "pushed_at": self._database.now(), "pushed_by": by}

    def _remembered(self, connection: Connection, source: str, key: str, sequence: int) -> PushStatus:
        """Nothing new but perhaps a higher sequence."""
        _keep(connection, source, key, {"sequence": sequence}, is_new=False)
        return standing_of(connection, source, key)


def _open(connection: Connection, source: str) -> None:
    """Hold the source's row until the commit: runs write its documents under the same lock. Raises NotReadable or Conflict."""
    row = _takes_pushes(connection.execute(select(sources).where(sources.c.id == source).with_for_update()).one_or_none())
    if row.state == SourceState.RETIRED.value:
        raise Conflict("this source is retired")


def _takes_pushes(row: Row[Any] | None) -> Row[Any]:
    if row is None or row.kind != PUSH.name:
        raise NotReadable("no source of this id takes pushed documents")
    return row


def _sequence(before: Row[Any] | None, change: Change, *, is_same: bool) -> int:
    """The sequence that the change has, or is given: the last writer wins. Raises Conflict for one that comes too late."""
    known = 0 if before is None else int(before.sequence)
    if change.sequence is None:
        return known if is_same else known + 1
    if before is not None and (change.sequence < known or (change.sequence == known and not is_same)):
        raise Conflict("a newer change of this document is known")
    return change.sequence


def _keep(connection: Connection, source: str, key: str, values: dict[str, object], *, is_new: bool) -> None:
    if is_new:
        connection.execute(insert(pushed_documents).values(source=source, key=key, **values))
    else:
        mine = (pushed_documents.c.source == source, pushed_documents.c.key == key)
        connection.execute(update(pushed_documents).where(*mine).values(**values))


def _count(connection: Connection, source: str, more: int, *, at_most: int | None = None) -> None:
    """Raises InvalidInput when there would be more than that."""
    held = int(connection.scalar(select(source_automation.c.pushed_documents).where(source_automation.c.source == source)) or 0)
    if at_most is not None and held + more > at_most:
        raise InvalidInput.of("key", "the source holds too many documents", limit=f"{at_most} documents")
    remember(connection, source, pushed_documents=held + more)


def _pushed(connection: Connection, source: str) -> None:
    """One more change that a run has to take."""
    remember(connection, source, pushes=pushes_of(connection, source) + 1)


def _readers_now(connection: Connection, source: str, document: PushedDocument) -> dict[str, int]:
    """Let the readers of what is published, attachments included, be those that were pushed, as far as the source's contract lets them.

    Returns the new classes.
    """
    id_ = document_id(source, document.key)
    row = connection.execute(select(documents.c.access_class).where(documents.c.id == id_)).one_or_none()
    if row is None:
        return {}
    to = class_of(connection, source, limited(connection, source, {id_: document.policy})[id_])
    if row.access_class == to:
        return {}
    return reclassify(connection, {id_: to})


def _nothing(key: str) -> PushedDocument:
    """What is kept of a document that was deleted before it came."""
    return PushedDocument(key, "", 0, "", NOBODY)


def _entry(action: AuditAction, source: str, change: Change, named: Sequence[AuditedDocument] = ()) -> AuditEntry:
    return AuditEntry(
        action, change.actor, change.act_for, documents=tuple(named), request_id=change.request_id, details={"source": source}
    )
