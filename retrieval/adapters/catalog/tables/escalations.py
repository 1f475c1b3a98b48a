"""Questions handed to people, and what is delivered of them."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from retrieval.adapters.catalog.tables.base import Key, metadata

escalations = Table(
    "escalations",
    metadata,
    Column("id", Key, primary_key=True),
    Column("asker", Key, nullable=False),
    Column("through", Key),
    Column("principal", Text, nullable=False),
    Column("pending_key", Key, unique=True),
    Column("content", Text, nullable=False),
    Column("reasons", Key, nullable=False),
    Column("priority", Key, nullable=False),
    Column("state", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Column("source", Key, nullable=False),
    Column("is_pool", Boolean, nullable=False),
    Column("skill", Text, nullable=False),
    Column("created_at", Key, nullable=False),
    Column("due_at", Key, nullable=False),
    Column("expires_at", Key, nullable=False),
    Column("claimed_by", Key),
    Column("claimed_at", Key),
    Column("lease_until", Key),
    Column("closed_at", Key),
    Column("resolution", Text),
    Column("delivery", Key),
    Index(None, "asker", "created_at"),
    Index(None, "state", "due_at"),
    Index(None, "due_at", "id"),
    Index(None, "closed_at", "id"),
    comment="Questions handed to people. `content` and `resolution` are encrypted; `pending_key` is a keyed hash, NULL once closed.",
)

escalation_reviewers = Table(
    "escalation_reviewers",
    metadata,
    Column("escalation", Key, ForeignKey("escalations.id"), primary_key=True),
    Column("subject", Key, primary_key=True, index=True),
    comment="Who may work on it; without any, every reviewer.",
)

escalation_events = Table(
    "escalation_events",
    metadata,
    Column("escalation", Key, ForeignKey("escalations.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Key, nullable=False),
    Column("by", Key, nullable=False),
    Column("what", Key, nullable=False),
    Column("note", Text, nullable=False),
    comment="What made each version of an escalation. `note` is encrypted.",
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("escalation", Key, ForeignKey("escalations.id"), primary_key=True),
    Column("channel", Key, CheckConstraint("channel IN ('poll', 'webhook', 'email')", name="channel"), primary_key=True),
    Column("state", Key, CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="state"), nullable=False),
    Column("message_id", Key, nullable=False, unique=True),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Key),
    Column("created_at", Key, nullable=False),
    Column("sent_at", Key),
    Column("problem", Text),
    Index(None, "state", "next_attempt_at"),
    comment="The outbox, one row for each escalation and channel. `message_id` stays the same however often it is sent.",
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("application", Key, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("registered_at", Key, nullable=False),
    Column("registered_by", Key, nullable=False),
    comment="Where applications are told that an escalation is closed. `secret` is encrypted, or says where it is: `env:…`, `file:…`.",
)

access_requests = Table(
    "access_requests",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", Key, ForeignKey("sources.id"), nullable=False),
    Column("asker", Key, nullable=False),
    Column("document", Key, ForeignKey("documents.id"), nullable=False),
    Column("question", Text, nullable=False),
    Column("created_at", Key, nullable=False),
    UniqueConstraint("source", "asker", "document"),
    Index(None, "source", "id"),
    comment="Who would need to read which document, for its source's owner alone. `question` is encrypted.",
)

leases = Table(
    "leases",
    metadata,
    Column("name", Key, primary_key=True),
    Column("holder", Key, nullable=False),
    Column("until", Key, nullable=False),
    comment="Work that one process of several does at a time.",
)
