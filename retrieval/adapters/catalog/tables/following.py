"""The outbox and the indexes that follow it."""

from sqlalchemy import Boolean, Column, Integer, Table

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

changes = Table(
    "changes",
    metadata,
    Column("document", Key, primary_key=True),
    Column("revision", Counter, nullable=False, index=True),
    Column("content_revision", Counter, nullable=False, index=True),
    comment="The outbox that indexes follow, one row per document: when it last changed in any way, and when its passages did.",
)

index_followers = Table(
    "index_followers",
    metadata,
    Column("name", Key, primary_key=True),
    Column("applied_revision", Counter, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("passages", Counter, nullable=False),
    Column("state", Key, nullable=False),
    Column("heartbeat_at", Key, nullable=False),
    Column("process", Integer, nullable=False),
    Column("host", Key, nullable=False),
    Column("rebuild_requested", Boolean, nullable=False, default=False),
)
