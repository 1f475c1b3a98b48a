"""The audit log, and the requests that were answered already."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

audit = Table(
    "audit",
    metadata,
    Column("seq", Counter, primary_key=True, autoincrement=False),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("at", Key, nullable=False, index=True),
    Column("actor", Key, nullable=False),
    Column("act_for", Key),
    Column("action", Key, nullable=False),
    Column("record", Text, nullable=False),
    Index(None, "actor", "seq"),
    Index(None, "act_for", "seq"),
    Index(None, "action", "seq"),
    comment="Append-only and hash-chained: `hash` is over `prev_hash` and `record`, canonical JSON that repeats the other columns.",
)

audit_documents = Table(
    "audit_documents",
    metadata,
    Column("document", Key, primary_key=True),
    Column("seq", Counter, ForeignKey("audit.seq"), primary_key=True),
    comment="Which records name which document: who saw what. Append-only.",
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("seq", Counter, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    comment="The end of the chain. Whoever appends locks this row, last in its transaction.",
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_hash", LargeBinary, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("response", LargeBinary),
    Column("status", Integer),
    Column("created_at", Key, nullable=False, index=True),
    comment="Answers to writes by their Idempotency-Key, which is scoped to principal and route; the answer is encrypted.",
)
