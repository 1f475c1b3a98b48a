"""The tokens of embedded texts, for the feature reranker."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "token_vectors",
        sa.Column("model", KEY, nullable=False),
        sa.Column("text_hash", KEY, nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("model", "text_hash", name="pk_token_vectors"),
        comment="Of each token that says something: id (uint16), sentence (uint8) and small vector (4 bits a number).",
    )
