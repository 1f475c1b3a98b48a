"""The catalog's tables. Migrations change them; this file says what they are now.

Times are ISO 8601 in UTC with microseconds, so that their text order is their order in time. Identifiers and subjects
compare byte by byte on both engines (`BINARY` on SQLite, collation "C" on PostgreSQL).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql

Key = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Text that is compared byte by byte."""
Counter = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit integer; on SQLite the type that a rowid may have."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

revision = Table(
    "revision",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("value", Counter, nullable=False),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Key, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    comment="Random keys made once: consistency tokens, key hashing.",
)

sources = Table(
    "sources",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", Key, nullable=False),
    Column("spec", Text, nullable=False),
    Column("spec_version", Integer, nullable=False),
    Column("state", Key, nullable=False),
    Column("run_token", Counter, nullable=False, default=0),
    Column("sensitivity", Integer, nullable=False),
    Column("region", Key, nullable=False),
    Column("permissions_read_at", Key),
    Column("permissions_fresh_until", Key),
    Column("withhold_stale", Boolean, nullable=False),
    Column("registered_at", Key, nullable=False),
    Column("registered_by", Key, nullable=False),
    Column("last_success_at", Key),
    Column("last_success_spec_version", Integer),
    comment="`sensitivity` is the classification's rank, 0 for public. From `permissions_fresh_until` on its permissions are stale.",
)

source_versions = Table(
    "source_versions",
    metadata,
    Column("source", Key, ForeignKey("sources.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("spec", Text, nullable=False),
    Column("registered_at", Key, nullable=False),
    Column("registered_by", Key, nullable=False),
)

source_runs = Table(
    "source_runs",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", Key, ForeignKey("sources.id"), nullable=False),
    Column("token", Counter, nullable=False),
    Column("spec_version", Integer, nullable=False),
    Column("started_at", Key, nullable=False),
    Column("listed_at", Key),
    Column("finished_at", Key),
    Column("outcome", Key),
    Column("problem", Text),
    Column("phase", Key, nullable=False),
    Column("done", Integer, nullable=False, default=0),
    Column("total", Integer),
    Column("counts", Text, nullable=False, default="{}"),
    Index(None, "source", "started_at"),
)

access_classes = Table(
    "access_classes",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    Column("source", Key, ForeignKey("sources.id"), nullable=False),
    Column("fingerprint", Key, nullable=False),
    Column("passages", Counter, nullable=False, default=0),
    UniqueConstraint("source", "fingerprint"),
    comment="One row for each distinct access policy of a source; `passages` counts the current ones it holds.",
)

grants = Table(
    "grants",
    metadata,
    Column("access_class", Counter, ForeignKey("access_classes.id"), primary_key=True),
    Column("effect", Key, CheckConstraint("effect IN ('allow', 'deny')", name="effect"), primary_key=True),
    Column("subject", Key, primary_key=True),
    Index(None, "subject", "effect"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("member", Key, primary_key=True),
    Column("group", Key, primary_key=True, index=True),
    Column("managed_by", Key, nullable=False),
    comment="`member` is a user, an app or a group; groups nest. `managed_by` is who entered it: `cli`, `scim` or `csv`.",
)

directory = Table(
    "directory",
    metadata,
    Column("subject", Key, primary_key=True),
    Column("kind", Key, CheckConstraint("kind IN ('user', 'group', 'app')", name="kind"), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("clearance", Integer),
    Column("regions", Text),
    Column("managed_by", Key, nullable=False),
    Column("scim_id", Key, unique=True),
    Column("external_id", Key, nullable=False, default=""),
    Column("name", Text, nullable=False),
    Column("folded_name", Key, nullable=False, default=""),
    Column("attributes", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Key, nullable=False),
    Column("updated_at", Key, nullable=False),
    Column("deleted_at", Key),
    Index(None, "kind", "folded_name"),
    Index(None, "external_id"),
    comment="People, groups and applications by subject. `clearance` is a rank and `regions` a JSON list; NULL: the service's default.",
)
_KNOWN_TO_SCIM = text("kind = 'user' AND scim_id IS NOT NULL AND deleted_at IS NULL")
Index("uq_directory_user_name", directory.c.folded_name, unique=True, sqlite_where=_KNOWN_TO_SCIM, postgresql_where=_KNOWN_TO_SCIM)

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
    UniqueConstraint("source", "key"),
    Index(None, "source", "listed_run"),
)

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
    Column("text", Key, ForeignKey("texts.hash"), nullable=False),
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
    Column("content_hash", Key, nullable=False),
    Column("recipe", Key, nullable=False),
    Column("parsed", Key, ForeignKey("parsed.key"), nullable=False),
    Column("text", Key, ForeignKey("texts.hash"), nullable=False),
    Column("title", Text, nullable=False),
    Column("media_type", Key, nullable=False),
    Column("uri", Text, nullable=False),
    Column("modified_at", Key),
    Column("passages", Integer),
    Column("valid_from", Counter),
    Column("valid_to", Counter),
    Column("published_at", Key),
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

changes = Table(
    "changes",
    metadata,
    Column("document", Key, primary_key=True),
    Column("revision", Counter, nullable=False, index=True),
    Column("content_revision", Counter, nullable=False, index=True),
    comment="The outbox that indexes follow, one row per document: when it last changed in any way, and when its passages did.",
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

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Key, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("principal_issuer", Key, nullable=False),
    Column("principal_kind", Key, nullable=False),
    Column("principal_id", Key, nullable=False),
    Column("roles", Text, nullable=False),
    Column("sources", Text),
    Column("label", Text, nullable=False),
    Column("created_at", Key, nullable=False),
    Column("expires_at", Key),
    Column("revoked_at", Key),
)

index_followers = Table(
    "index_followers",
    metadata,
    Column("name", Key, primary_key=True),
    Column("applied_revision", Counter, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("passages", Counter, nullable=False),
    Column("state", Key, nullable=False),
    Column("heartbeat_at", Key, nullable=False),
    Column("process", Integer, nullable=False),
    Column("host", Key, nullable=False),
    Column("rebuild_requested", Boolean, nullable=False, default=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Counter, primary_key=True, autoincrement=False),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("at", Key, nullable=False, index=True),
    Column("actor", Key, nullable=False),
    Column("act_for", Key),
    Column("action", Key, nullable=False),
    Column("record", Text, nullable=False),
    Index(None, "actor", "seq"),
    Index(None, "act_for", "seq"),
    Index(None, "action", "seq"),
    comment="Append-only and hash-chained: `hash` is over `prev_hash` and `record`, canonical JSON that repeats the other columns.",
)

audit_documents = Table(
    "audit_documents",
    metadata,
    Column("document", Key, primary_key=True),
    Column("seq", Counter, ForeignKey("audit.seq"), primary_key=True),
    comment="Which records name which document: who saw what. Append-only.",
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("seq", Counter, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    comment="The end of the chain. Whoever appends locks this row, last in its transaction.",
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_hash", LargeBinary, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("response", LargeBinary),
    Column("status", Integer),
    Column("created_at", Key, nullable=False, index=True),
    comment="Answers to writes by their Idempotency-Key, which is scoped to principal and route; the answer is encrypted.",
)

graph_documents = Table(
    "graph_documents",
    metadata,
    Column("document", Key, ForeignKey("documents.id"), primary_key=True),
    Column("source", Key, ForeignKey("sources.id"), nullable=False, index=True),
    Column("version", Key, ForeignKey("document_versions.id"), nullable=False),
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

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", Key, primary_key=True),
    Column("run", Key, nullable=False),
    Column("at", Key, nullable=False, index=True),
    Column("collection", Text, nullable=False),
    Column("split", Key, nullable=False),
    Column("questions_hash", Key, nullable=False),
    Column("configuration", Key, nullable=False),
    Column("settings_hash", Key, nullable=False),
    Column("settings", Text, nullable=False),
    Column("model", Key, nullable=False),
    Column("index_revision", Counter),
    Column("program", Key, nullable=False),
    Column("queries", Integer, nullable=False),
    Column("figures", Text, nullable=False),
    comment="One configuration on one set of questions. `settings` and `figures` are JSON; `program` is its commit.",
)

evaluated_queries = Table(
    "evaluated_queries",
    metadata,
    Column("evaluation", Key, ForeignKey("evaluations.id"), primary_key=True),
    Column("query", Key, primary_key=True),
    Column("text", Text, nullable=False),
    Column("asked_by", Key),
    Column("tags", Text, nullable=False),
    Column("scores", Text, nullable=False),
    Column("found", Text, nullable=False),
    comment="Questions and their values, for the operator alone; `tags`, `scores` and `found` are JSON.",
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", Key, primary_key=True),
    Column("asker", Key, nullable=False),
    Column("through", Key),
    Column("principal", Text, nullable=False),
    Column("pending_key", Key, unique=True),
    Column("content", Text, nullable=False),
    Column("reasons", Key, nullable=False),
    Column("priority", Key, nullable=False),
    Column("state", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Column("source", Key, nullable=False),
    Column("is_pool", Boolean, nullable=False),
    Column("skill", Text, nullable=False),
    Column("created_at", Key, nullable=False),
    Column("due_at", Key, nullable=False),
    Column("expires_at", Key, nullable=False),
    Column("claimed_by", Key),
    Column("claimed_at", Key),
    Column("lease_until", Key),
    Column("closed_at", Key),
    Column("resolution", Text),
    Column("delivery", Key),
    Index(None, "asker", "created_at"),
    Index(None, "state", "due_at"),
    Index(None, "due_at", "id"),
    Index(None, "closed_at", "id"),
    comment="Questions handed to people. `content` and `resolution` are encrypted; `pending_key` is a keyed hash, NULL once closed.",
)

escalation_reviewers = Table(
    "escalation_reviewers",
    metadata,
    Column("escalation", Key, ForeignKey("escalations.id"), primary_key=True),
    Column("subject", Key, primary_key=True, index=True),
    comment="Who may work on it; without any, every reviewer.",
)

escalation_events = Table(
    "escalation_events",
    metadata,
    Column("escalation", Key, ForeignKey("escalations.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Key, nullable=False),
    Column("by", Key, nullable=False),
    Column("what", Key, nullable=False),
    Column("note", Text, nullable=False),
    comment="What made each version of an escalation. `note` is encrypted.",
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("escalation", Key, ForeignKey("escalations.id"), primary_key=True),
    Column("channel", Key, CheckConstraint("channel IN ('poll', 'webhook', 'email')", name="channel"), primary_key=True),
    Column("state", Key, CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="state"), nullable=False),
    Column("message_id", Key, nullable=False, unique=True),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Key),
    Column("created_at", Key, nullable=False),
    Column("sent_at", Key),
    Column("problem", Text),
    Index(None, "state", "next_attempt_at"),
    comment="The outbox, one row for each escalation and channel. `message_id` stays the same however often it is sent.",
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("application", Key, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("registered_at", Key, nullable=False),
    Column("registered_by", Key, nullable=False),
    comment="Where applications are told that an escalation is closed. `secret` is encrypted, or says where it is: `env:…`, `file:…`.",
)

access_requests = Table(
    "access_requests",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", Key, ForeignKey("sources.id"), nullable=False),
    Column("asker", Key, nullable=False),
    Column("document", Key, ForeignKey("documents.id"), nullable=False),
    Column("question", Text, nullable=False),
    Column("created_at", Key, nullable=False),
    UniqueConstraint("source", "asker", "document"),
    Index(None, "source", "id"),
    comment="Who would need to read which document, for its source's owner alone. `question` is encrypted.",
)

leases = Table(
    "leases",
    metadata,
    Column("name", Key, primary_key=True),
    Column("holder", Key, nullable=False),
    Column("until", Key, nullable=False),
    comment="Work that one process of several does at a time.",
)

curated_answers = Table(
    "curated_answers",
    metadata,
    Column("id", Key, primary_key=True),
    Column("escalation", Key, nullable=False, unique=True),
    Column("question", Text, nullable=False),
    Column("paraphrases", Text, nullable=False),
    Column("sentences", Text, nullable=False),
    Column("asked_by", Key, index=True),
    Column("reviewer", Key, nullable=False),
    Column("at", Key, nullable=False),
    Column("expires_at", Key, nullable=False),
    Column("state", Key, CheckConstraint("state IN ('active', 'retired', 'stale', 'suspended')", name="state"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("change", Counter, nullable=False, index=True),
    Column("said_right", Integer, nullable=False),
    Column("said_wrong", Integer, nullable=False),
    comment="What reviewers said, for everybody who reads all that it cites. `sentences` is JSON and cites by ordinal. `number` counts a "
    "row's changes, `change` is the value of `curated_head` at the last one.",
)

curated_citations = Table(
    "curated_citations",
    metadata,
    Column("curated", Key, ForeignKey("curated_answers.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("document", Key, ForeignKey("documents.id"), nullable=False, index=True),
    Column("version", Key, ForeignKey("document_versions.id"), nullable=False),
    Column("passage", Key, ForeignKey("passages.id"), nullable=False),
    Column("source", Key, ForeignKey("sources.id"), nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("span_end", Integer, nullable=False),
    Column("quote_hash", Key, nullable=False),
    comment="Quotes that curated answers stand on: where they are in the version's text, and the hash of what stands there.",
)

curated_head = Table(
    "curated_head",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("change", Counter, nullable=False),
    comment="Counts changes of curated answers, so that whoever keeps them in memory knows what is new.",
)

answers_given = Table(
    "answers_given",
    metadata,
    Column("request_id", Key, primary_key=True),
    Column("asker", Key, nullable=False, index=True),
    Column("through", Key),
    Column("question", Text, nullable=False),
    Column("outcome", Key, nullable=False),
    Column("reason", Key),
    Column("citations", Text, nullable=False),
    Column("sources", Text, nullable=False),
    Column("signals", Text, nullable=False),
    Column("confidence_model", Key),
    Column("generator", Key, nullable=False),
    Column("prompt", Key),
    Column("curated", Key, index=True),
    Column("at", Key, nullable=False, index=True),
    comment="Answers as they were given, without their texts. `question` is encrypted under the audit log's query key.",
)

feedback = Table(
    "feedback",
    metadata,
    Column("request_id", Key, ForeignKey("answers_given.request_id"), primary_key=True),
    Column("kind", Key, primary_key=True),
    Column("citation", Key),
    Column("note", Text),
    Column("at", Key, nullable=False),
    comment="What whoever asked says of the answer. `note` is encrypted like questions; NULL: there is none.",
)

gaps = Table(
    "gaps",
    metadata,
    Column("source", Key, primary_key=True),
    Column("kind", Key, primary_key=True),
    Column("about", Key, primary_key=True),
    Column("month", Key, nullable=False),
    Column("at", Key, nullable=False, index=True),
    Column("asker", Key, index=True),
    Column("question", Text),
    Column("topics_only", Boolean, nullable=False),
    Column("note", Text),
    Column("document", Key),
    Index(None, "source", "month"),
    comment="What a source did not tell, or tells wrongly. An empty `source` is nobody's. `question` and `note` are encrypted; NULL: none.",
)

learning_progress = Table(
    "learning_progress",
    metadata,
    Column("name", Key, primary_key=True),
    Column("after", Key, nullable=False),
    comment="Up to where something has been learned from: the last entry seen.",
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("about", Key, primary_key=True),
    Column("judge", Key, primary_key=True, index=True),
    Column("origin", Key, nullable=False),
    Column("is_right", Boolean, nullable=False),
    Column("signals", Text, nullable=False),
    Column("sources", Text, nullable=False),
    Column("risk_tier", Key, nullable=False),
    Column("at", Key, nullable=False, index=True),
    comment="What people said of answers. `about` is an escalation or a request; `signals` and `sources` are JSON.",
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("model", Key, nullable=False),
    Column("knots", Text, nullable=False),
    Column("curves", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("at", Key, nullable=False),
    Column("made_by", Key, nullable=False),
    Column("is_active", Boolean, nullable=False),
    comment="What verdicts have taught, of which at most one is in force. `knots`, `curves` and `card` are JSON.",
)

citation_receipts = Table(
    "citation_receipts",
    metadata,
    Column("number", Counter, primary_key=True, autoincrement=True),
    Column("reader", Key, nullable=False),
    Column("citation", Key, nullable=False),
    Column("document", Key, nullable=False),
    Column("version", Key, nullable=False),
    Column("version_number", Integer, nullable=False),
    Column("content_hash", Key, nullable=False),
    Column("passage", Key, nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("span_end", Integer, nullable=False),
    Column("quote_hash", Key, nullable=False),
    Column("given_at", Key, nullable=False, index=True),
    Column("request_id", Key),
    Index(None, "reader", "citation", "number"),
    comment="What was cited to whom and when: places and hashes, no text. Outlives the document, so nothing is referred to.",
)

usage = Table(
    "usage",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", Key, nullable=False, index=True),
    Column("application", Key, nullable=False),
    Column("team", Key, nullable=False),
    Column("sources", Text, nullable=False),
    Column("generator", Key, nullable=False),
    Column("prompt", Key, nullable=False),
    Column("input_tokens", Counter, nullable=False),
    Column("output_tokens", Counter, nullable=False),
    Column("micro_dollars", Counter, nullable=False),
    Column("request_id", Key),
    Column("settled_at", Key),
    comment="What each generated answer cost, or may cost until it is settled. `sources` is a JSON list of those it cites.",
)

spending = Table(
    "spending",
    metadata,
    Column("holder", Key, primary_key=True),
    Column("period", Key, primary_key=True),
    Column("starts_at", Key, primary_key=True),
    Column("tokens", Counter, nullable=False),
    Column("micro_dollars", Counter, nullable=False),
    comment="Sums of `usage` for whoever may have a budget, kept with it: what is compared with the budget before an answer is worded.",
)

budgets = Table(
    "budgets",
    metadata,
    Column("holder", Key, primary_key=True),
    Column("period", Key, CheckConstraint("period IN ('day', 'month')", name="period"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("tokens", Counter),
    Column("micro_dollars", Counter),
    Column("set_at", Key, nullable=False),
    Column("set_by", Key, nullable=False),
    comment="Every budget ever set; the highest version is in force, and NULL is no limit.",
)
