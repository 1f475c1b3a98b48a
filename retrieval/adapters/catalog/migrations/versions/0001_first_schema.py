"""First schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "access_classes",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("fingerprint", KEY, nullable=False),
        sa.Column("passages", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_classes")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_access_classes_fingerprint")),
        comment="One row for each distinct access policy; `passages` counts the current ones it holds.",
    )
    op.create_table(
        "api_keys",
        sa.Column("id", KEY, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("principal_issuer", KEY, nullable=False),
        sa.Column("principal_kind", KEY, nullable=False),
        sa.Column("principal_id", KEY, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", KEY, nullable=False),
        sa.Column("expires_at", KEY, nullable=True),
        sa.Column("revoked_at", KEY, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_table(
        "changes",
        sa.Column("document", KEY, nullable=False),
        sa.Column("revision", COUNTER, nullable=False),
        sa.Column("content_revision", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("document", name=op.f("pk_changes")),
        comment="The outbox that indexes follow, one row per document: when it last changed in any way, and when its passages did.",
    )
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_changes_content_revision"), ["content_revision"], unique=False)
        batch_op.create_index(batch_op.f("ix_changes_revision"), ["revision"], unique=False)

    op.create_table(
        "embeddings",
        sa.Column("model", KEY, nullable=False),
        sa.Column("text_hash", KEY, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("model", "text_hash", name=op.f("pk_embeddings")),
        comment="float32, little endian, unit length; keyed by the model and the hash of the embedded text.",
    )
    op.create_table(
        "index_followers",
        sa.Column("name", KEY, nullable=False),
        sa.Column("applied_revision", COUNTER, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("passages", COUNTER, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("heartbeat_at", KEY, nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("host", KEY, nullable=False),
        sa.Column("rebuild_requested", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_index_followers")),
    )
    op.create_table(
        "memberships",
        sa.Column("member", KEY, nullable=False),
        sa.Column("group", KEY, nullable=False),
        sa.PrimaryKeyConstraint("member", "group", name=op.f("pk_memberships")),
        comment="`member` is a user, an app or a group; groups nest.",
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
    )
    op.create_table(
        "secrets",
        sa.Column("name", KEY, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
        comment="Random keys made once: consistency tokens, key hashing.",
    )
    op.create_table(
        "sources",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("spec_version", sa.Integer(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("run_token", COUNTER, nullable=False),
        sa.Column("registered_at", KEY, nullable=False),
        sa.Column("registered_by", KEY, nullable=False),
        sa.Column("last_success_at", KEY, nullable=True),
        sa.Column("last_success_spec_version", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
    )
    op.create_table(
        "texts",
        sa.Column("hash", KEY, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("elements", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_texts")),
        comment="The canonical text of a parsed content, once, with its elements as JSON [[start, end, kind, page, heading path], ...].",
    )
    op.create_table(
        "documents",
        sa.Column("id", KEY, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("parent", KEY, nullable=True),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("modified_at", KEY, nullable=True),
        sa.Column("listed_run", KEY, nullable=True),
        sa.Column("listed_fingerprint", KEY, nullable=True),
        sa.Column("taken_fingerprint", KEY, nullable=True),
        sa.Column("validator", sa.Text(), nullable=True),
        sa.Column("content_hash", KEY, nullable=True),
        sa.Column("recipe", KEY, nullable=True),
        sa.Column("size_bytes", COUNTER, nullable=True),
        sa.Column("access_class", COUNTER, nullable=False),
        sa.Column("policy_problem", sa.Text(), nullable=True),
        sa.Column("current_version", KEY, nullable=True),
        sa.ForeignKeyConstraint(["access_class"], ["access_classes.id"], name=op.f("fk_documents_access_class")),
        sa.ForeignKeyConstraint(["parent"], ["documents.id"], name=op.f("fk_documents_parent")),
        sa.ForeignKeyConstraint(["source"], ["sources.id"], name=op.f("fk_documents_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_documents_source_key")),
    )
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_documents_parent"), ["parent"], unique=False)
        batch_op.create_index(batch_op.f("ix_documents_source_listed_run"), ["source", "listed_run"], unique=False)

    op.create_table(
        "grants",
        sa.Column("access_class", COUNTER, nullable=False),
        sa.Column("effect", KEY, nullable=False),
        sa.Column("subject", KEY, nullable=False),
        sa.ForeignKeyConstraint(["access_class"], ["access_classes.id"], name=op.f("fk_grants_access_class")),
        sa.PrimaryKeyConstraint("access_class", "effect", "subject", name=op.f("pk_grants")),
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grants_subject_effect"), ["subject", "effect"], unique=False)

    op.create_table(
        "parsed",
        sa.Column("key", KEY, nullable=False),
        sa.Column("text", KEY, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("media_type", KEY, nullable=False),
        sa.Column("method", KEY, nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("attachments", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["text"], ["texts.hash"], name=op.f("fk_parsed_text")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_parsed")),
        comment="What parsing gave, keyed by content, name and parser version, so that the same content is parsed once.",
    )
    op.create_table(
        "source_runs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("token", COUNTER, nullable=False),
        sa.Column("spec_version", sa.Integer(), nullable=False),
        sa.Column("started_at", KEY, nullable=False),
        sa.Column("listed_at", KEY, nullable=True),
        sa.Column("finished_at", KEY, nullable=True),
        sa.Column("outcome", KEY, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("phase", KEY, nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source"], ["sources.id"], name=op.f("fk_source_runs_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_runs")),
    )
    with op.batch_alter_table("source_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_runs_source_started_at"), ["source", "started_at"], unique=False)

    op.create_table(
        "source_versions",
        sa.Column("source", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("registered_at", KEY, nullable=False),
        sa.Column("registered_by", KEY, nullable=False),
        sa.ForeignKeyConstraint(["source"], ["sources.id"], name=op.f("fk_source_versions_source")),
        sa.PrimaryKeyConstraint("source", "version", name=op.f("pk_source_versions")),
    )
    op.create_table(
        "document_versions",
        sa.Column("id", KEY, nullable=False),
        sa.Column("document", KEY, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("content_hash", KEY, nullable=False),
        sa.Column("recipe", KEY, nullable=False),
        sa.Column("parsed", KEY, nullable=False),
        sa.Column("text", KEY, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("media_type", KEY, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("modified_at", KEY, nullable=True),
        sa.Column("passages", sa.Integer(), nullable=True),
        sa.Column("valid_from", COUNTER, nullable=True),
        sa.Column("valid_to", COUNTER, nullable=True),
        sa.Column("published_at", KEY, nullable=True),
        sa.ForeignKeyConstraint(["document"], ["documents.id"], name=op.f("fk_document_versions_document")),
        sa.ForeignKeyConstraint(["parsed"], ["parsed.key"], name=op.f("fk_document_versions_parsed")),
        sa.ForeignKeyConstraint(["source"], ["sources.id"], name=op.f("fk_document_versions_source")),
        sa.ForeignKeyConstraint(["text"], ["texts.hash"], name=op.f("fk_document_versions_text")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_versions")),
        sa.UniqueConstraint("document", "number", name=op.f("uq_document_versions_document_number")),
    )
    with op.batch_alter_table("document_versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_document_versions_source_state"), ["source", "state"], unique=False)

    op.create_table(
        "quarantine",
        sa.Column("document", KEY, nullable=False),
        sa.Column("content_hash", KEY, nullable=True),
        sa.Column("recipe", KEY, nullable=False),
        sa.Column("code", KEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("retryable", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", KEY, nullable=False),
        sa.Column("last_at", KEY, nullable=False),
        sa.Column("next_attempt_at", KEY, nullable=True),
        sa.ForeignKeyConstraint(["document"], ["documents.id"], name=op.f("fk_quarantine_document")),
        sa.PrimaryKeyConstraint("document", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "passages",
        sa.Column("id", KEY, nullable=False),
        sa.Column("version", KEY, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("span_start", sa.Integer(), nullable=False),
        sa.Column("span_end", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("heading_path", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("text_hash", KEY, nullable=False),
        sa.Column("embedded_hash", KEY, nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["document_versions.id"], name=op.f("fk_passages_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passages")),
        sa.UniqueConstraint("version", "ordinal", name=op.f("uq_passages_version_ordinal")),
    )
    with op.batch_alter_table("passages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passages_embedded_hash"), ["embedded_hash"], unique=False)
    op.execute("INSERT INTO revision (id, value) VALUES (1, 0)")
