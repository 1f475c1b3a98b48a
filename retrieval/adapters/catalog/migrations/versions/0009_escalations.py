"""Questions handed to people, what they decided, and its delivery."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    _escalations()
    _deliveries()
    _access_requests()
    _leases()


def _escalations() -> None:
    op.create_table(
        "escalations",
        sa.Column("id", KEY, nullable=False),
        sa.Column("asker", KEY, nullable=False),
        sa.Column("through", KEY),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("pending_key", KEY),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("reasons", KEY, nullable=False),
        sa.Column("priority", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("is_pool", sa.Boolean(), nullable=False),
        sa.Column("skill", sa.Text(), nullable=False),
        sa.Column("created_at", KEY, nullable=False),
        sa.Column("due_at", KEY, nullable=False),
        sa.Column("expires_at", KEY, nullable=False),
        sa.Column("claimed_by", KEY),
        sa.Column("claimed_at", KEY),
        sa.Column("lease_until", KEY),
        sa.Column("closed_at", KEY),
        sa.Column("resolution", sa.Text()),
        sa.Column("delivery", KEY),
        sa.PrimaryKeyConstraint("id", name="pk_escalations"),
        sa.UniqueConstraint("pending_key", name="uq_escalations_pending_key"),
        comment="Questions handed to people. `content` and `resolution` are encrypted; `pending_key` is a keyed hash, NULL once closed.",
    )
    op.create_index("ix_escalations_asker_created_at", "escalations", ["asker", "created_at"])
    op.create_index("ix_escalations_closed_at_id", "escalations", ["closed_at", "id"])
    op.create_index("ix_escalations_due_at_id", "escalations", ["due_at", "id"])
    op.create_index("ix_escalations_state_due_at", "escalations", ["state", "due_at"])
    op.create_table(
        "escalation_reviewers",
        sa.Column("escalation", KEY, nullable=False),
        sa.Column("subject", KEY, nullable=False),
        sa.ForeignKeyConstraint(["escalation"], ["escalations.id"], name="fk_escalation_reviewers_escalation"),
        sa.PrimaryKeyConstraint("escalation", "subject", name="pk_escalation_reviewers"),
        comment="Who may work on it; without any, every reviewer.",
    )
    op.create_index("ix_escalation_reviewers_subject", "escalation_reviewers", ["subject"])
    op.create_table(
        "escalation_events",
        sa.Column("escalation", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("by", KEY, nullable=False),
        sa.Column("what", KEY, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["escalation"], ["escalations.id"], name="fk_escalation_events_escalation"),
        sa.PrimaryKeyConstraint("escalation", "version", name="pk_escalation_events"),
        comment="What made each version of an escalation. `note` is encrypted.",
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("escalation", KEY, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("message_id", KEY, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", KEY),
        sa.Column("created_at", KEY, nullable=False),
        sa.Column("sent_at", KEY),
        sa.Column("problem", sa.Text()),
        sa.ForeignKeyConstraint(["escalation"], ["escalations.id"], name="fk_deliveries_escalation"),
        sa.PrimaryKeyConstraint("escalation", "channel", name="pk_deliveries"),
        sa.UniqueConstraint("message_id", name="uq_deliveries_message_id"),
        comment="The outbox, one row for each escalation and channel. `message_id` stays the same however often it is sent.",
    )
    op.create_index("ix_deliveries_state_next_attempt_at", "deliveries", ["state", "next_attempt_at"])
    op.create_table(
        "webhooks",
        sa.Column("application", KEY, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("registered_at", KEY, nullable=False),
        sa.Column("registered_by", KEY, nullable=False),
        sa.PrimaryKeyConstraint("application", name="pk_webhooks"),
        comment="Where applications are told that an escalation is closed. `secret` is encrypted, or says where it is: `env:…`, `file:…`.",
    )


def _access_requests() -> None:
    op.create_table(
        "access_requests",
        sa.Column("id", KEY, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("asker", KEY, nullable=False),
        sa.Column("document", KEY, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("created_at", KEY, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["documents.id"], name="fk_access_requests_document"),
        sa.ForeignKeyConstraint(["source"], ["sources.id"], name="fk_access_requests_source"),
        sa.PrimaryKeyConstraint("id", name="pk_access_requests"),
        sa.UniqueConstraint("source", "asker", "document", name="uq_access_requests_source_asker_document"),
        comment="Who would need to read which document, for its source's owner alone. `question` is encrypted.",
    )
    op.create_index("ix_access_requests_source_id", "access_requests", ["source", "id"])


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("name", KEY, nullable=False),
        sa.Column("holder", KEY, nullable=False),
        sa.Column("until", KEY, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
        comment="Work that one process of several does at a time.",
    )
