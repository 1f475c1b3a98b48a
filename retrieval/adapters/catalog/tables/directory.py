"""Who may read: access classes, grants, people, groups and keys."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from retrieval.adapters.catalog.tables.base import Counter, Key, metadata

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
