"""Sources, their registrations and runs."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

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
    Column("pushes", Counter),
    Index(None, "source", "started_at"),
    Index(None, "source", "token"),
)
