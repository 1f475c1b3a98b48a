"""What answers stand on, and recalls."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

audit_requests = Table(
    "audit_requests",
    metadata,
    Column("request_id", Key, primary_key=True),
    Column("seq", Counter, ForeignKey("audit.seq"), primary_key=True),
    comment="Which records are of which request, where passages left. Append-only.",
)

recalls = Table(
    "recalls",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", Key, CheckConstraint("kind IN ('document', 'version', 'source')", name="kind"), nullable=False),
    Column("about", Key, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_at", Key, nullable=False),
    Column("made_by", Key, nullable=False),
    Column("counts", Text, nullable=False),
    Index(None, "kind", "about"),
    comment="Documents that were taken back from readers. `reason` is encrypted; `counts` is JSON of what the recall did.",
)

recalled_versions = Table(
    "recalled_versions",
    metadata,
    Column("recall", Key, ForeignKey("recalls.id"), primary_key=True),
    Column("version", Key, primary_key=True),
    Column("document", Key, nullable=False),
    Column("source", Key, nullable=False),
    Index(None, "version"),
    comment="Every version that a recall is about, current or not. Outlives the document, so nothing is referred to.",
)

recall_notices = Table(
    "recall_notices",
    metadata,
    Column("recall", Key, ForeignKey("recalls.id"), primary_key=True),
    Column("application", Key, primary_key=True),
    Column("state", Key, CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="state"), nullable=False),
    Column("requests", Text, nullable=False),
    Column("message_id", Key, nullable=False, unique=True),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Key),
    Column("created_at", Key, nullable=False),
    Column("sent_at", Key),
    Column("problem", Text),
    Index(None, "state", "next_attempt_at"),
    comment="Applications that are told of a recall. `requests`: JSON list of the ids of their requests that stood on it.",
)
