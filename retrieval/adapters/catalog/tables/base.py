"""What all tables share, the revision and the secrets.

Times are ISO 8601 in UTC with microseconds, so that their text order is their order in time. Identifiers and subjects
compare byte by byte on both engines (`BINARY` on SQLite, collation "C" on PostgreSQL).
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, MetaData, Table, Text
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
