"""Embedding models: which one is live, which ones are being prepared."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "embedding_models",
        sa.Column("id", KEY, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("registered_at", KEY, nullable=False),
        sa.Column("registered_by", KEY, nullable=False),
        sa.Column("live_from", COUNTER),
        sa.Column("live_to", COUNTER),
        sa.Column("judgement", sa.Text()),
        sa.CheckConstraint("state IN ('candidate', 'backfilling', 'ready', 'live', 'retired')", name="ck_embedding_models_state"),
        sa.PrimaryKeyConstraint("id", name="pk_embedding_models"),
        comment="Models that embed. Exactly one is live; `live_from` and `live_to` are revisions, `judgement` is JSON.",
    )
    live = sa.text("state = 'live'")
    op.create_index("ix_embedding_models_live", "embedding_models", ["state"], unique=True, sqlite_where=live, postgresql_where=live)
    op.create_table(
        "model_readers",
        sa.Column("name", KEY, nullable=False),
        sa.Column("serving", KEY, nullable=False),
        sa.Column("prepared", sa.Text(), nullable=False),
        sa.Column("heartbeat_at", KEY, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_model_readers"),
        comment="Processes that answer queries, and the models that each has in memory and in its index (`prepared`, a JSON list).",
    )
