"""Documents that applications push, and what the automation of sources remembers."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pushed_documents",
        sa.Column("source", KEY, sa.ForeignKey("sources.id", name="fk_pushed_documents_source"), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("sequence", COUNTER, nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("fingerprint", KEY, nullable=False),
        sa.Column("content_hash", KEY, nullable=False),
        sa.Column("size_bytes", COUNTER, nullable=False),
        sa.Column("media_type", KEY, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("modified_at", KEY, nullable=True),
        sa.Column("allow", sa.Text(), nullable=False),
        sa.Column("deny", sa.Text(), nullable=False),
        sa.Column("pushed_at", KEY, nullable=False),
        sa.Column("pushed_by", KEY, nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name="pk_pushed_documents"),
        comment="What applications pushed last, by key. The bytes are in the blob store under `content_hash`. A deleted one stays with its "
        "sequence, so that an older push that arrives late does not bring it back. `allow` and `deny` are JSON lists of subjects.",
    )
    op.create_table(
        "source_automation",
        sa.Column("source", KEY, sa.ForeignKey("sources.id", name="fk_source_automation_source"), nullable=False),
        sa.Column("pushes", COUNTER, nullable=False),
        sa.Column("pushes_taken", COUNTER, nullable=False),
        sa.Column("pushed_documents", COUNTER, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_version", sa.Integer(), nullable=True),
        sa.Column("next_attempt_at", KEY, nullable=True),
        sa.PrimaryKeyConstraint("source", name="pk_source_automation"),
        comment="`pushes` counts what was pushed; a run that succeeds has taken as many as there were when it began. `attempts` "
        "counts the runs asked for since the last success, and the next is asked for no sooner than `next_attempt_at`.",
    )
    op.add_column("source_runs", sa.Column("pushes", COUNTER, nullable=True))
    op.create_index("ix_source_runs_source_token", "source_runs", ["source", "token"])
