"""Evaluations: what was measured with which settings, and each question's values."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "evaluations",
        sa.Column("id", KEY, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("split", KEY, nullable=False),
        sa.Column("questions_hash", KEY, nullable=False),
        sa.Column("configuration", KEY, nullable=False),
        sa.Column("settings_hash", KEY, nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("model", KEY, nullable=False),
        sa.Column("index_revision", COUNTER, nullable=True),
        sa.Column("program", KEY, nullable=False),
        sa.Column("queries", sa.Integer(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
        comment="One configuration on one set of questions. `settings` and `figures` are JSON; `program` is its commit.",
    )
    op.create_index(op.f("ix_evaluations_at"), "evaluations", ["at"])
    op.create_table(
        "evaluated_queries",
        sa.Column("evaluation", KEY, nullable=False),
        sa.Column("query", KEY, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked_by", KEY, nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("scores", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["evaluation"], ["evaluations.id"], name=op.f("fk_evaluated_queries_evaluation")),
        sa.PrimaryKeyConstraint("evaluation", "query", name=op.f("pk_evaluated_queries")),
        comment="Questions and their values, for the operator alone; `tags`, `scores` and `found` are JSON.",
    )
