"""Versions in time: which was current when, what people hold back or have erased."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

revisions = Table(
    "revisions",
    metadata,
    Column("value", Counter, primary_key=True, autoincrement=False),
    Column("at", Key, nullable=False),
    Index(None, "at"),
    comment="When each revision was made; never earlier than the one before it.",
)

validity = Table(
    "validity",
    metadata,
    Column("version", Key, ForeignKey("document_versions.id"), primary_key=True),
    Column("valid_from", Counter, primary_key=True, autoincrement=False),
    Column("valid_to", Counter),
    Column("closed_run", Key),
    Index(None, "valid_to"),
    comment="Each interval of revisions in which a version was current: from `valid_from` on, before `valid_to`; NULL: it is now.",
)

holds = Table(
    "holds",
    metadata,
    Column("document", Key, ForeignKey("documents.id"), primary_key=True),
    Column("content_hash", Key),
    Column("held_at", Key, nullable=False),
    Column("held_by", Key, nullable=False),
    comment="What was rolled back: this content is not published again; NULL: that the source lacks the document withdraws nothing.",
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("document", Key, primary_key=True),
    Column("source", Key, nullable=False, index=True),
    Column("erased_at", Key, nullable=False),
    comment="Ids of erased documents, hashes of source and key: they are not taken in again.",
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", Key, nullable=False),
    Column("report", Text, nullable=False),
    comment="Signed reports of what was erased: counts and hashes.",
)
