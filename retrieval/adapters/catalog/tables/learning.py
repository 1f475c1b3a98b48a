"""Curated answers, feedback and knowledge gaps."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

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
