"""The knowledge graph: entities, mentions, relations, and the glossaries of sources."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _facts()
    _glossaries()


def _facts() -> None:
    op.create_table(
        "graph_documents",
        sa.Column("document", KEY, sa.ForeignKey("documents.id", name="fk_graph_documents_document"), nullable=False),
        sa.Column("source", KEY, sa.ForeignKey("sources.id", name="fk_graph_documents_source"), nullable=False),
        sa.Column("version", KEY, sa.ForeignKey("document_versions.id", name="fk_graph_documents_version"), nullable=False),
        sa.Column("extractor", KEY, nullable=False),
        sa.Column("revision", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("document", name="pk_graph_documents"),
        comment="Whose facts the graph holds: of which version, found by which extractor, since which revision.",
    )
    op.create_index("ix_graph_documents_source", "graph_documents", ["source"])
    op.create_index("ix_graph_documents_revision", "graph_documents", ["revision"])
    op.create_table(
        "entities",
        sa.Column("number", COUNTER, autoincrement=True, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_entities"),
        sa.UniqueConstraint("id", name="uq_entities_id"),
        comment="One row while a passage mentions it. What it is called and what kind it is stands with its mentions, "
        "for those who read them.",
    )
    op.create_table(
        "entity_names",
        sa.Column("number", COUNTER, autoincrement=True, nullable=False),
        sa.Column("entity", COUNTER, sa.ForeignKey("entities.number", name="fk_entity_names_entity"), nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_entity_names"),
        sa.UniqueConstraint("entity", "name", name="uq_entity_names_entity_name"),
        comment="How passages write entities. `key` is what spellings of one name have in common.",
    )
    op.create_index("ix_entity_names_key", "entity_names", ["key"])
    op.create_table(
        "mentions",
        sa.Column("passage", KEY, sa.ForeignKey("passages.id", name="fk_mentions_passage"), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", COUNTER, sa.ForeignKey("entity_names.number", name="fk_mentions_name"), nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("span_start", sa.Integer(), nullable=True),
        sa.Column("span_end", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("passage", "ordinal", name="pk_mentions"),
        comment="Entities in passages of current versions. The span is in the passage's own text; "
        "NULL where only a title or heading says it.",
    )
    op.create_index("ix_mentions_name", "mentions", ["name"])
    op.create_table(
        "relations",
        sa.Column("passage", KEY, sa.ForeignKey("passages.id", name="fk_relations_passage"), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("subject", COUNTER, sa.ForeignKey("entities.number", name="fk_relations_subject"), nullable=False),
        sa.Column("object", COUNTER, sa.ForeignKey("entities.number", name="fk_relations_object"), nullable=False),
        sa.PrimaryKeyConstraint("passage", "ordinal", name="pk_relations"),
        comment="Typed relations between entities, each with the passage that supports it and mentions both.",
    )
    op.create_index("ix_relations_subject", "relations", ["subject"])
    op.create_index("ix_relations_object", "relations", ["object"])


def _glossaries() -> None:
    op.create_table(
        "glossaries",
        sa.Column("source", KEY, sa.ForeignKey("sources.id", name="fk_glossaries_source"), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("applied_at", KEY, nullable=False),
        sa.Column("applied_by", KEY, nullable=False),
        sa.PrimaryKeyConstraint("source", "version", name="pk_glossaries"),
        comment="Every glossary that a source's owner has given, as JSON; the highest version is in force.",
    )
    op.create_table(
        "glossary_terms",
        sa.Column("source", KEY, sa.ForeignKey("sources.id", name="fk_glossary_terms_source"), nullable=False),
        sa.Column("entity", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "entity", name="pk_glossary_terms"),
        comment="The glossary in force, by the id of the entity that each term names.",
    )
    op.create_index("ix_glossary_terms_entity", "glossary_terms", ["entity"])
