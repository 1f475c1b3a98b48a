"""The end of the chain: records are appended here and nowhere else, in the transaction of what they record.

The row of the chain's end is locked until the commit, so that transactions append one after the other. Append last in a transaction:
whoever locked it and then asked for something another one holds, such as the next revision, could wait for ever.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, insert, select, update

from retrieval.adapters.catalog.audit.secrecy import AuditKeys, keys_of
from retrieval.adapters.catalog.engine import current_revision
from retrieval.adapters.catalog.tables import audit, audit_documents, audit_head, audit_requests
from retrieval.domain.audit import AuditAction, AuditEntry, canonical, chained
from retrieval.domain.errors import CatalogUnavailable

_LOCKED_HEAD = select(audit_head.c.seq, audit_head.c.hash).with_for_update()
_TRACED = frozenset({AuditAction.RETRIEVE, AuditAction.ANSWER})
"""Actions that are looked up by their request, too."""
_MOVE_HEAD = update(audit_head).values(seq=bindparam("to"), hash=bindparam("end"))


def append(connection: Connection, *entries: AuditEntry, at: str) -> None:
    """Record the entries in their order. `at` is the time as the database writes it. Without entries nothing happens."""
    if not entries:
        return
    keys = keys_of(connection) if any(entry.query is not None or entry.asked is not None for entry in entries) else None
    revision = current_revision(connection) if any(entry.revision is None for entry in entries) else None
    head = connection.execute(_LOCKED_HEAD).one_or_none()
    if head is None:
        raise CatalogUnavailable("the audit log has lost its end: verify it")
    seq, end = int(head.seq), bytes(head.hash)
    rows, named, traced = [], [], []
    for entry in entries:
        seq += 1
        record = canonical(_record(entry, seq, at, revision, keys))
        row = {"seq": seq, "prev_hash": end, "at": at, "actor": entry.actor, "act_for": entry.act_for, "action": entry.action.value}
        end = chained(end, record)
        rows.append({**row, "hash": end, "record": record})
        named += [{"document": document, "seq": seq} for document in sorted({d.document for d in entry.documents})]
        if entry.request_id is not None and entry.action in _TRACED:
            traced.append({"request_id": entry.request_id, "seq": seq})
    connection.execute(insert(audit), rows)
    if named:
        connection.execute(insert(audit_documents), named)
    if traced:
        connection.execute(insert(audit_requests), traced)
    connection.execute(_MOVE_HEAD, {"to": seq, "end": end})


def _record(entry: AuditEntry, seq: int, at: str, revision: int | None, keys: AuditKeys | None) -> dict[str, object]:
    """Absent fields are left out."""
    fields: dict[str, object] = {
        "seq": seq,
        "at": at,
        "revision": revision if entry.revision is None else entry.revision,
        "request_id": entry.request_id,
        "actor": entry.actor,
        "act_for": entry.act_for,
        "action": entry.action.value,
        "decision": "allowed" if entry.is_allowed else "denied",
        "outcome": entry.outcome,
        "documents": [document.as_json() for document in entry.documents] or None,
        "index_revision": entry.index_revision,
        "model": entry.model,
        "details": _without_gaps(entry) or None,
    }
    if keys is not None and entry.query is not None:
        fields |= {"query": keys.sealed_query(entry.query), "query_hmac": keys.hashed_query(entry.query)}
    if keys is not None and entry.asked is not None:
        fields["asked_hmac"] = keys.hashed_id(entry.asked)
    return {name: value for name, value in fields.items() if value is not None}


def _without_gaps(entry: AuditEntry) -> dict[str, str | int | Sequence[str]]:
    return {name: value for name, value in entry.details.items() if value is not None}
