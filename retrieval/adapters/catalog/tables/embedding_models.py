"""Embedding models, and the processes that are ready for them."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, text

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

embedding_models = Table(
    "embedding_models",
    metadata,
    Column("id", Key, primary_key=True),
    Column("reference", Text, nullable=False),
    Column("sha256", Key, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column(
        "state", Key, CheckConstraint("state IN ('candidate', 'backfilling', 'ready', 'live', 'retired')", name="state"), nullable=False
    ),
    Column("registered_at", Key, nullable=False),
    Column("registered_by", Key, nullable=False),
    Column("live_from", Counter),
    Column("live_to", Counter),
    Column("judgement", Text),
    comment="Models that embed. Exactly one is live; `live_from` and `live_to` are revisions, `judgement` is JSON.",
)
Index(
    "ix_embedding_models_live",
    embedding_models.c.state,
    unique=True,
    sqlite_where=text("state = 'live'"),
    postgresql_where=text("state = 'live'"),
)

model_readers = Table(
    "model_readers",
    metadata,
    Column("name", Key, primary_key=True),
    Column("serving", Key, nullable=False),
    Column("prepared", Text, nullable=False),
    Column("heartbeat_at", Key, nullable=False),
    comment="Processes that answer queries, and the models that each has in memory and in its index (`prepared`, a JSON list).",
)
