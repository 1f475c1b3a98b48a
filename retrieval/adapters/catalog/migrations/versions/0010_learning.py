"""Curated answers, feedback and knowledge gaps."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _curated()
    _answers()
    _gaps()


def _curated() -> None:
    op.create_table(
        "curated_answers",
        sa.Column("id", KEY, nullable=False),
        sa.Column("escalation", KEY, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("paraphrases", sa.Text(), nullable=False),
        sa.Column("sentences", sa.Text(), nullable=False),
        sa.Column("asked_by", KEY, nullable=True),
        sa.Column("reviewer", KEY, nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("expires_at", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("change", COUNTER, nullable=False),
        sa.Column("said_right", sa.Integer(), nullable=False),
        sa.Column("said_wrong", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_curated_answers"),
        sa.UniqueConstraint("escalation", name="uq_curated_answers_escalation"),
        sa.CheckConstraint("state IN ('active', 'retired', 'stale', 'suspended')", name="ck_curated_answers_state"),
        comment="What reviewers said, for everybody who reads all that it cites. `sentences` is JSON and cites by ordinal. `number` "
        "counts a row's changes, `change` is the value of `curated_head` at the last one.",
    )
    op.create_index("ix_curated_answers_asked_by", "curated_answers", ["asked_by"])
    op.create_index("ix_curated_answers_change", "curated_answers", ["change"])
    op.create_table(
        "curated_citations",
        sa.Column("curated", KEY, sa.ForeignKey("curated_answers.id", name="fk_curated_citations_curated"), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", KEY, sa.ForeignKey("documents.id", name="fk_curated_citations_document"), nullable=False),
        sa.Column("version", KEY, sa.ForeignKey("document_versions.id", name="fk_curated_citations_version"), nullable=False),
        sa.Column("passage", KEY, sa.ForeignKey("passages.id", name="fk_curated_citations_passage"), nullable=False),
        sa.Column("source", KEY, sa.ForeignKey("sources.id", name="fk_curated_citations_source"), nullable=False),
        sa.Column("span_start", sa.Integer(), nullable=False),
        sa.Column("span_end", sa.Integer(), nullable=False),
        sa.Column("quote_hash", KEY, nullable=False),
        sa.PrimaryKeyConstraint("curated", "ordinal", name="pk_curated_citations"),
        comment="Quotes that curated answers stand on: where they are in the version's text, and the hash of what stands there.",
    )
    op.create_index("ix_curated_citations_document", "curated_citations", ["document"])
    head = op.create_table(
        "curated_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("change", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_curated_head"),
        sa.CheckConstraint("id = 1", name="ck_curated_head_one_row"),
        comment="Counts changes of curated answers, so that whoever keeps them in memory knows what is new.",
    )
    op.bulk_insert(head, [{"id": 1, "change": 0}])


def _answers() -> None:
    op.create_table(
        "answers_given",
        sa.Column("request_id", KEY, nullable=False),
        sa.Column("asker", KEY, nullable=False),
        sa.Column("through", KEY, nullable=True),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("outcome", KEY, nullable=False),
        sa.Column("reason", KEY, nullable=True),
        sa.Column("citations", sa.Text(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("signals", sa.Text(), nullable=False),
        sa.Column("confidence_model", KEY, nullable=True),
        sa.Column("generator", KEY, nullable=False),
        sa.Column("prompt", KEY, nullable=True),
        sa.Column("curated", KEY, nullable=True),
        sa.Column("at", KEY, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_answers_given"),
        comment="Answers as they were given, without their texts. `question` is encrypted under the audit log's query key.",
    )
    for column in ("asker", "curated", "at"):
        op.create_index(f"ix_answers_given_{column}", "answers_given", [column])
    op.create_table(
        "feedback",
        sa.Column("request_id", KEY, sa.ForeignKey("answers_given.request_id", name="fk_feedback_request_id"), nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("citation", KEY, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("at", KEY, nullable=False),
        sa.PrimaryKeyConstraint("request_id", "kind", name="pk_feedback"),
        comment="What whoever asked says of the answer. `note` is encrypted like questions; NULL: there is none.",
    )


def _gaps() -> None:
    op.create_table(
        "gaps",
        sa.Column("source", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("about", KEY, nullable=False),
        sa.Column("month", KEY, nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("asker", KEY, nullable=True),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("topics_only", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("document", KEY, nullable=True),
        sa.PrimaryKeyConstraint("source", "kind", "about", name="pk_gaps"),
        comment="What a source did not tell, or tells wrongly. An empty `source` is nobody's. `question` and `note` are encrypted; "
        "NULL: none.",
    )
    op.create_index("ix_gaps_at", "gaps", ["at"])
    op.create_index("ix_gaps_asker", "gaps", ["asker"])
    op.create_index("ix_gaps_source_month", "gaps", ["source", "month"])
    op.create_table(
        "learning_progress",
        sa.Column("name", KEY, nullable=False),
        sa.Column("after", KEY, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_learning_progress"),
        comment="Up to where something has been learned from: the last entry seen.",
    )
