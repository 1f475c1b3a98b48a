"""Data contracts: what checks found, measures of earlier runs, notifications."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    _measured()
    _judged()
    _told()


def _measured() -> None:
    op.create_table(
        "inspected_texts",
        sa.Column("text", KEY, nullable=False),
        sa.Column("inspection", KEY, nullable=False),
        sa.Column("language", KEY, nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("text", "inspection", name="pk_inspected_texts"),
        comment="Counts by kind of what stands in a text, by its hash; of a masked text, what was masked. No word of the text.",
    )
    op.create_table(
        "source_measures",
        sa.Column("source", KEY, sa.ForeignKey("sources.id", name="fk_source_measures_source"), nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("mean_characters", sa.Float(), nullable=False),
        sa.Column("model", KEY, nullable=True),
        sa.Column("centroid", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("source", "run", name="pk_source_measures"),
        comment="What successful runs left: the next one's drift is measured from it. `centroid` is float32, little endian.",
    )


def _judged() -> None:
    op.create_table(
        "contract_verdicts",
        sa.Column("source", KEY, sa.ForeignKey("sources.id", name="fk_contract_verdicts_source"), nullable=False),
        sa.Column("rule", KEY, nullable=False),
        sa.Column("run", KEY, nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("blocks", sa.Boolean(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("since", KEY, nullable=False),
        sa.PrimaryKeyConstraint("source", "rule", name="pk_contract_verdicts"),
        comment="The last verdict on each rule. `since`: when it began to pass, or to fail.",
    )


def _told() -> None:
    op.create_table(
        "contract_notices",
        sa.Column("message_id", KEY, nullable=False),
        sa.Column("source", KEY, sa.ForeignKey("sources.id", name="fk_contract_notices_source"), nullable=False),
        sa.Column("told", KEY, nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("recipient", KEY, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", KEY, nullable=True),
        sa.Column("created_at", KEY, nullable=False),
        sa.Column("sent_at", KEY, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("message_id", name="pk_contract_notices"),
        sa.CheckConstraint("told IN ('broken', 'holds')", name="ck_contract_notices_told"),
        sa.CheckConstraint("channel IN ('webhook', 'email')", name="ck_contract_notices_channel"),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="ck_contract_notices_state"),
        comment="The outbox of contracts: one row for each change and whom it is told to.",
    )
    op.create_index("ix_contract_notices_state_next_attempt_at", "contract_notices", ["state", "next_attempt_at"])
