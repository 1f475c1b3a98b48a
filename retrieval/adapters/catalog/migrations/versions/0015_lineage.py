"""Lineage: what answers stand on, and recalls."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit_requests",
        sa.Column("request_id", KEY, nullable=False),
        sa.Column("seq", COUNTER, sa.ForeignKey("audit.seq", name="fk_audit_requests_seq"), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "seq", name="pk_audit_requests"),
        comment="Which records are of which request, where passages left. Append-only.",
    )
    op.create_table(
        "recalls",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", KEY, sa.CheckConstraint("kind IN ('document', 'version', 'source')", name="ck_recalls_kind"), nullable=False),
        sa.Column("about", KEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", KEY, nullable=False),
        sa.Column("made_by", KEY, nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recalls"),
        comment="Documents that were taken back from readers. `reason` is encrypted; `counts` is JSON of what the recall did.",
    )
    op.create_index("ix_recalls_kind_about", "recalls", ["kind", "about"])
    op.create_table(
        "recalled_versions",
        sa.Column("recall", KEY, sa.ForeignKey("recalls.id", name="fk_recalled_versions_recall"), nullable=False),
        sa.Column("version", KEY, nullable=False),
        sa.Column("document", KEY, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.PrimaryKeyConstraint("recall", "version", name="pk_recalled_versions"),
        comment="Every version that a recall is about, current or not. Outlives the document, so nothing is referred to.",
    )
    op.create_index("ix_recalled_versions_version", "recalled_versions", ["version"])
    op.create_table(
        "recall_notices",
        sa.Column("recall", KEY, sa.ForeignKey("recalls.id", name="fk_recall_notices_recall"), nullable=False),
        sa.Column("application", KEY, nullable=False),
        sa.Column("state", KEY, sa.CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="ck_recall_notices_state"), nullable=False),
        sa.Column("requests", sa.Text(), nullable=False),
        sa.Column("message_id", KEY, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", KEY, nullable=True),
        sa.Column("created_at", KEY, nullable=False),
        sa.Column("sent_at", KEY, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("recall", "application", name="pk_recall_notices"),
        sa.UniqueConstraint("message_id", name="uq_recall_notices_message_id"),
        comment="Applications that are told of a recall. `requests`: JSON list of the ids of their requests that stood on it.",
    )
    op.create_index("ix_recall_notices_state_next_attempt_at", "recall_notices", ["state", "next_attempt_at"])
    _find_requests()


def _find_requests() -> None:
    """Of what was recorded before there was the table."""
    audit, found = (
        sa.table("audit", sa.column("seq"), sa.column("action"), sa.column("record")),
        sa.table("audit_requests", sa.column("request_id"), sa.column("seq")),
    )
    connection = op.get_bind()
    shown = sa.select(audit.c.seq, audit.c.record).where(audit.c.action.in_(["retrieve", "answer"]))
    for rows in connection.execute(shown).partitions(1_000):
        requests = [(json.loads(row.record).get("request_id"), row.seq) for row in rows]
        values = [{"request_id": request, "seq": seq} for request, seq in requests if request]
        if values:
            connection.execute(sa.insert(found), values)
