"""Documents, their versions, passages and vectors."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

documents = Table(
    "documents",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", Key, ForeignKey("sources.id"), nullable=False),
    Column("key", Key, nullable=False),
    Column("parent", Key, ForeignKey("documents.id"), index=True),
    Column("uri", Text, nullable=False),
    Column("modified_at", Key),
    Column("listed_run", Key),
    Column("listed_fingerprint", Key),
    Column("taken_fingerprint", Key),
    Column("validator", Text),
    Column("content_hash", Key),
    Column("recipe", Key),
    Column("size_bytes", Counter),
    Column("access_class", Counter, ForeignKey("access_classes.id"), nullable=False),
    Column("policy_problem", Text),
    Column("current_version", Key),
    Column("history_from", Counter),
    UniqueConstraint("source", "key"),
    Index(None, "source", "listed_run"),
)
"""Before the revision `history_from` it had versions that have been removed since; NULL: it has all of them."""

texts = Table(
    "texts",
    metadata,
    Column("hash", Key, primary_key=True),
    Column("text", Text, nullable=False),
    Column("elements", Text, nullable=False),
    comment="The canonical text of a parsed content, once, with its elements as JSON [[start, end, kind, page, heading path], ...].",
)

parsed = Table(
    "parsed",
    metadata,
    Column("key", Key, primary_key=True),
    Column("text", Key, ForeignKey("texts.hash"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("media_type", Key, nullable=False),
    Column("method", Key, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("attachments", Text, nullable=False),
    comment="What parsing gave, keyed by content, name and parser version, so that the same content is parsed once.",
)

document_versions = Table(
    "document_versions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("document", Key, ForeignKey("documents.id"), nullable=False),
    Column("source", Key, ForeignKey("sources.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Key, CheckConstraint("state IN ('staged', 'current', 'superseded', 'withdrawn')", name="state"), nullable=False),
    Column("content_hash", Key, nullable=False, index=True),
    Column("recipe", Key, nullable=False),
    Column("parsed", Key, ForeignKey("parsed.key"), nullable=False, index=True),
    Column("text", Key, ForeignKey("texts.hash"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("media_type", Key, nullable=False),
    Column("uri", Text, nullable=False),
    Column("modified_at", Key),
    Column("passages", Integer),
    Column("published_at", Key),
    Column("published_run", Key, index=True),
    UniqueConstraint("document", "number"),
    Index(None, "source", "state"),
)

passages = Table(
    "passages",
    metadata,
    Column("id", Key, primary_key=True),
    Column("version", Key, ForeignKey("document_versions.id"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("span_end", Integer, nullable=False),
    Column("page", Integer),
    Column("heading_path", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("text_hash", Key, nullable=False),
    Column("embedded_hash", Key, nullable=False, index=True),
    Column("tokens", Integer, nullable=False),
    UniqueConstraint("version", "ordinal"),
)

embeddings = Table(
    "embeddings",
    metadata,
    Column("model", Key, primary_key=True),
    Column("text_hash", Key, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    comment="float32, little endian, unit length; keyed by the model and the hash of the embedded text.",
)

token_vectors = Table(
    "token_vectors",
    metadata,
    Column("model", Key, primary_key=True),
    Column("text_hash", Key, primary_key=True),
    Column("tokens", Integer, nullable=False),
    Column("packed", LargeBinary, nullable=False),
    comment="Of each token that says something: id (uint16), sentence (uint8) and small vector (4 bits a number).",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("document", Key, ForeignKey("documents.id"), primary_key=True),
    Column("content_hash", Key),
    Column("recipe", Key, nullable=False),
    Column("code", Key, nullable=False),
    Column("reason", Text, nullable=False),
    Column("retryable", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_at", Key, nullable=False),
    Column("last_at", Key, nullable=False),
    Column("next_attempt_at", Key),
)
