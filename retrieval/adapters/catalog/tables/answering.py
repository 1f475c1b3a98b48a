"""Receipts of citations, usage and budgets."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

citation_receipts = Table(
    "citation_receipts",
    metadata,
    Column("number", Counter, primary_key=True, autoincrement=True),
    Column("reader", Key, nullable=False),
    Column("citation", Key, nullable=False),
    Column("document", Key, nullable=False),
    Column("version", Key, nullable=False),
    Column("version_number", Integer, nullable=False),
    Column("content_hash", Key, nullable=False),
    Column("passage", Key, nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("span_end", Integer, nullable=False),
    Column("quote_hash", Key, nullable=False),
    Column("given_at", Key, nullable=False, index=True),
    Column("request_id", Key),
    Index(None, "reader", "citation", "number"),
    comment="What was cited to whom and when: places and hashes, no text. Outlives the document, so nothing is referred to.",
)

usage = Table(
    "usage",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", Key, nullable=False, index=True),
    Column("application", Key, nullable=False),
    Column("team", Key, nullable=False),
    Column("sources", Text, nullable=False),
    Column("generator", Key, nullable=False),
    Column("prompt", Key, nullable=False),
    Column("input_tokens", Counter, nullable=False),
    Column("output_tokens", Counter, nullable=False),
    Column("micro_dollars", Counter, nullable=False),
    Column("request_id", Key),
    Column("settled_at", Key),
    comment="What each generated answer cost, or may cost until it is settled. `sources` is a JSON list of those it cites.",
)

spending = Table(
    "spending",
    metadata,
    Column("holder", Key, primary_key=True),
    Column("period", Key, primary_key=True),
    Column("starts_at", Key, primary_key=True),
    Column("tokens", Counter, nullable=False),
    Column("micro_dollars", Counter, nullable=False),
    comment="Sums of `usage` for whoever may have a budget, kept with it: what is compared with the budget before an answer is worded.",
)

budgets = Table(
    "budgets",
    metadata,
    Column("holder", Key, primary_key=True),
    Column("period", Key, CheckConstraint("period IN ('day', 'month')", name="period"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("tokens", Counter),
    Column("micro_dollars", Counter),
    Column("set_at", Key, nullable=False),
    Column("set_by", Key, nullable=False),
    comment="Every budget ever set; the highest version is in force, and NULL is no limit.",
)
