"""Documents that applications push, and what the automation of sources remembers."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

pushed_documents = Table(
    "pushed_documents",
    metadata,
    Column("source", Key, ForeignKey("sources.id"), primary_key=True),
    Column("key", Key, primary_key=True),
    Column("sequence", Counter, nullable=False),
    Column("is_deleted", Boolean, nullable=False),
    Column("fingerprint", Key, nullable=False),
    Column("content_hash", Key, nullable=False),
    Column("size_bytes", Counter, nullable=False),
    Column("media_type", Key, nullable=False),
    Column("title", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("modified_at", Key),
    Column("allow", Text, nullable=False),
    Column("deny", Text, nullable=False),
    Column("pushed_at", Key, nullable=False),
    Column("pushed_by", Key, nullable=False),
    comment="What applications pushed last, by key. The bytes are in the blob store under `content_hash`. A deleted one stays with its "
    "sequence, so that an older push that arrives late does not bring it back. `allow` and `deny` are JSON lists of subjects.",
)

source_automation = Table(
    "source_automation",
    metadata,
    Column("source", Key, ForeignKey("sources.id"), primary_key=True),
    Column("pushes", Counter, nullable=False, default=0),
    Column("pushes_taken", Counter, nullable=False, default=0),
    Column("pushed_documents", Counter, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("asked_version", Integer),
    Column("next_attempt_at", Key),
    comment="`pushes` counts what was pushed; a run that succeeds has taken as many as there were when it began. `attempts` "
    "counts the runs asked for since the last success, and the next is asked for no sooner than `next_attempt_at`.",
)
