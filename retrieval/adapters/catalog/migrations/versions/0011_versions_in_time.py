"""Which version was readable when: revisions with their times, intervals of validity, retention and erasure."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_TIMES = """
    INSERT INTO revisions (value, at)
    SELECT valid_from, MAX(MAX(published_at)) OVER (ORDER BY valid_from) FROM document_versions
    WHERE valid_from IS NOT NULL AND published_at IS NOT NULL GROUP BY valid_from
"""
"""Of a revision that published something the time is known. Later ones never have an earlier one."""
_LAST_TIME = """
    INSERT INTO revisions (value, at)
    SELECT revision.value, COALESCE(
        (SELECT MAX(at) FROM (SELECT at FROM audit UNION ALL SELECT at FROM revisions) AS known), '1970-01-01T00:00:00.000000Z')
    FROM revision WHERE revision.value > 0 AND revision.value NOT IN (SELECT value FROM revisions)
"""
_INTERVALS = """
    INSERT INTO validity (version, valid_from, valid_to)
    SELECT id, valid_from, valid_to FROM document_versions WHERE valid_from IS NOT NULL
"""


_LOOKED_UP = {"document_versions": ("content_hash", "parsed", "text"), "parsed": ("text",), "graph_documents": ("version",)}
"""What a removal has to ask: whether anything else uses it."""


def upgrade() -> None:
    _in_time()
    _kept_back()
    for table, columns in _LOOKED_UP.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])


def _in_time() -> None:
    op.create_table(
        "revisions",
        sa.Column("value", COUNTER, autoincrement=False, nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.PrimaryKeyConstraint("value", name="pk_revisions"),
        comment="When each revision was made; never earlier than the one before it.",
    )
    op.create_index("ix_revisions_at", "revisions", ["at"])
    op.create_table(
        "validity",
        sa.Column("version", KEY, sa.ForeignKey("document_versions.id", name="fk_validity_version"), nullable=False),
        sa.Column("valid_from", COUNTER, autoincrement=False, nullable=False),
        sa.Column("valid_to", COUNTER),
        sa.Column("closed_run", KEY),
        sa.PrimaryKeyConstraint("version", "valid_from", name="pk_validity"),
        comment="Each interval of revisions in which a version was current: from `valid_from` on, before `valid_to`; NULL: it is now.",
    )
    op.create_index("ix_validity_valid_to", "validity", ["valid_to"])
    for statement in (_TIMES, _LAST_TIME, _INTERVALS):
        op.execute(statement)
    op.drop_column("document_versions", "valid_from")
    op.drop_column("document_versions", "valid_to")
    op.add_column("document_versions", sa.Column("published_run", KEY))
    op.create_index("ix_document_versions_published_run", "document_versions", ["published_run"])
    op.add_column("documents", sa.Column("history_from", COUNTER))


def _kept_back() -> None:
    op.create_table(
        "holds",
        sa.Column("document", KEY, sa.ForeignKey("documents.id", name="fk_holds_document"), nullable=False),
        sa.Column("content_hash", KEY),
        sa.Column("held_at", KEY, nullable=False),
        sa.Column("held_by", KEY, nullable=False),
        sa.PrimaryKeyConstraint("document", name="pk_holds"),
        comment="What was rolled back: this content is not published again; NULL: that the source lacks the document withdraws nothing.",
    )
    op.create_table(
        "tombstones",
        sa.Column("document", KEY, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("erased_at", KEY, nullable=False),
        sa.PrimaryKeyConstraint("document", name="pk_tombstones"),
        comment="Ids of erased documents, hashes of source and key: they are not taken in again.",
    )
    op.create_index("ix_tombstones_source", "tombstones", ["source"])
    op.create_table(
        "erasures",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
        comment="Signed reports of what was erased: counts and hashes.",
    )
