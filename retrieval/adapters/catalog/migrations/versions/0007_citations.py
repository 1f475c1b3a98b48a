"""Receipts of citations that were given."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "citation_receipts",
        sa.Column("number", COUNTER, primary_key=True, autoincrement=True),
        sa.Column("reader", KEY, nullable=False),
        sa.Column("citation", KEY, nullable=False),
        sa.Column("document", KEY, nullable=False),
        sa.Column("version", KEY, nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("content_hash", KEY, nullable=False),
        sa.Column("passage", KEY, nullable=False),
        sa.Column("span_start", sa.Integer(), nullable=False),
        sa.Column("span_end", sa.Integer(), nullable=False),
        sa.Column("quote_hash", KEY, nullable=False),
        sa.Column("given_at", KEY, nullable=False),
        sa.Column("request_id", KEY),
        comment="What was cited to whom and when: places and hashes, no text. Outlives the document, so nothing is referred to.",
    )
    op.create_index("ix_citation_receipts_reader_citation_number", "citation_receipts", ["reader", "citation", "number"])
    op.create_index("ix_citation_receipts_given_at", "citation_receipts", ["given_at"])
