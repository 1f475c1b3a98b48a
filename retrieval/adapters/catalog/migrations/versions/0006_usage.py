"""What answers cost, and how much applications may spend."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "usage",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("application", KEY, nullable=False),
        sa.Column("team", KEY, nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("generator", KEY, nullable=False),
        sa.Column("prompt", KEY, nullable=False),
        sa.Column("input_tokens", COUNTER, nullable=False),
        sa.Column("output_tokens", COUNTER, nullable=False),
        sa.Column("micro_dollars", COUNTER, nullable=False),
        sa.Column("request_id", KEY),
        sa.Column("settled_at", KEY),
        sa.PrimaryKeyConstraint("id", name="pk_usage"),
        comment="What each generated answer cost, or may cost until it is settled. `sources` is a JSON list of those it cites.",
    )
    op.create_index("ix_usage_at", "usage", ["at"])
    op.create_table(
        "spending",
        sa.Column("holder", KEY, nullable=False),
        sa.Column("period", KEY, nullable=False),
        sa.Column("starts_at", KEY, nullable=False),
        sa.Column("tokens", COUNTER, nullable=False),
        sa.Column("micro_dollars", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("holder", "period", "starts_at", name="pk_spending"),
        comment="Sums of `usage` for whoever may have a budget, kept with it: what is compared with the budget before an answer is worded.",
    )
    op.create_table(
        "budgets",
        sa.Column("holder", KEY, nullable=False),
        sa.Column("period", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tokens", COUNTER),
        sa.Column("micro_dollars", COUNTER),
        sa.Column("set_at", KEY, nullable=False),
        sa.Column("set_by", KEY, nullable=False),
        sa.CheckConstraint("period IN ('day', 'month')", name="ck_budgets_period"),
        sa.PrimaryKeyConstraint("holder", "period", "version", name="pk_budgets"),
        comment="Every budget ever set; the highest version is in force, and NULL is no limit.",
    )
