"""Calibrations of confidence, and the verdicts that they are learned from."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "verdicts",
        sa.Column("about", KEY, nullable=False),
        sa.Column("judge", KEY, nullable=False),
        sa.Column("origin", KEY, nullable=False),
        sa.Column("is_right", sa.Boolean(), nullable=False),
        sa.Column("signals", sa.Text(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("risk_tier", KEY, nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.PrimaryKeyConstraint("about", "judge", name="pk_verdicts"),
        comment="What people said of answers. `about` is an escalation or a request; `signals` and `sources` are JSON.",
    )
    op.create_index("ix_verdicts_at", "verdicts", ["at"])
    op.create_index("ix_verdicts_judge", "verdicts", ["judge"])
    op.create_table(
        "calibrations",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model", KEY, nullable=False),
        sa.Column("knots", sa.Text(), nullable=False),
        sa.Column("curves", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("made_by", KEY, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_calibrations"),
        comment="What verdicts have taught, of which at most one is in force. `knots`, `curves` and `card` are JSON.",
    )
