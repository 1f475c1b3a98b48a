"""The knowledge graph and the glossaries."""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

graph_documents = Table(
    "graph_documents",
    metadata,
    Column("document", Key, ForeignKey("documents.id"), primary_key=True),
    Column("source", Key, ForeignKey("sources.id"), nullable=False, index=True),
    Column("version", Key, ForeignKey("document_versions.id"), nullable=False, index=True),
    Column("extractor", Key, nullable=False),
    Column("revision", Counter, nullable=False, index=True),
    comment="Whose facts the graph holds: of which version, found by which extractor, since which revision.",
)

entities = Table(
    "entities",
    metadata,
    Column("number", Counter, primary_key=True, autoincrement=True),
    Column("id", Key, nullable=False, unique=True),
    comment="One row while a passage mentions it. What it is called and what kind it is stands with its mentions, for those who read them.",
)

entity_names = Table(
    "entity_names",
    metadata,
    Column("number", Counter, primary_key=True, autoincrement=True),
    Column("entity", Counter, ForeignKey("entities.number"), nullable=False),
    Column("name", Key, nullable=False),
    Column("key", Key, nullable=False, index=True),
    UniqueConstraint("entity", "name"),
    comment="How passages write entities. `key` is what spellings of one name have in common.",
)

mentions = Table(
    "mentions",
    metadata,
    Column("passage", Key, ForeignKey("passages.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("name", Counter, ForeignKey("entity_names.number"), nullable=False, index=True),
    Column("kind", Key, nullable=False),
    Column("span_start", Integer),
    Column("span_end", Integer),
    comment="Entities in passages of current versions. The span is in the passage's own text; NULL where only a title or heading says it.",
)

relations = Table(
    "relations",
    metadata,
    Column("passage", Key, ForeignKey("passages.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("kind", Key, nullable=False),
    Column("subject", Counter, ForeignKey("entities.number"), nullable=False, index=True),
    Column("object", Counter, ForeignKey("entities.number"), nullable=False, index=True),
    comment="Typed relations between entities, each with the passage that supports it and mentions both.",
)

glossaries = Table(
    "glossaries",
    metadata,
    Column("source", Key, ForeignKey("sources.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("terms", Text, nullable=False),
    Column("applied_at", Key, nullable=False),
    Column("applied_by", Key, nullable=False),
    comment="Every glossary that a source's owner has given, as JSON; the highest version is in force.",
)

glossary_terms = Table(
    "glossary_terms",
    metadata,
    Column("source", Key, ForeignKey("sources.id"), primary_key=True),
    Column("entity", Key, primary_key=True, index=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("definition", Text, nullable=False),
    comment="The glossary in force, by the id of the entity that each term names.",
)
