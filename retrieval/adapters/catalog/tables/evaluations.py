"""Evaluations, verdicts and calibrations."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", Key, primary_key=True),
    Column("run", Key, nullable=False),
    Column("at", Key, nullable=False, index=True),
    Column("collection", Text, nullable=False),
    Column("split", Key, nullable=False),
    Column("questions_hash", Key, nullable=False),
    Column("configuration", Key, nullable=False),
    Column("settings_hash", Key, nullable=False),
    Column("settings", Text, nullable=False),
    Column("model", Key, nullable=False),
    Column("index_revision", Counter),
    Column("program", Key, nullable=False),
    Column("queries", Integer, nullable=False),
    Column("figures", Text, nullable=False),
    comment="One configuration on one set of questions. `settings` and `figures` are JSON; `program` is its commit.",
)

evaluated_queries = Table(
    "evaluated_queries",
    metadata,
    Column("evaluation", Key, ForeignKey("evaluations.id"), primary_key=True),
    Column("query", Key, primary_key=True),
    Column("text", Text, nullable=False),
    Column("asked_by", Key),
    Column("tags", Text, nullable=False),
    Column("scores", Text, nullable=False),
    Column("found", Text, nullable=False),
    comment="Questions and their values, for the operator alone; `tags`, `scores` and `found` are JSON.",
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("about", Key, primary_key=True),
    Column("judge", Key, primary_key=True, index=True),
    Column("origin", Key, nullable=False),
    Column("is_right", Boolean, nullable=False),
    Column("signals", Text, nullable=False),
    Column("sources", Text, nullable=False),
    Column("risk_tier", Key, nullable=False),
    Column("at", Key, nullable=False, index=True),
    comment="What people said of answers. `about` is an escalation or a request; `signals` and `sources` are JSON.",
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("model", Key, nullable=False),
    Column("knots", Text, nullable=False),
    Column("curves", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("at", Key, nullable=False),
    Column("made_by", Key, nullable=False),
    Column("is_active", Boolean, nullable=False),
    comment="What verdicts have taught, of which at most one is in force. `knots`, `curves` and `card` are JSON.",
)
