"""The database behind the catalog: connections, transactions, migrations. SQLite and PostgreSQL take the same path."""

import secrets as random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, insert, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from retrieval.adapters.catalog import tables
from retrieval.domain.clock import Clock, SystemClock, stamp
from retrieval.domain.errors import CatalogUnavailable, Conflict

SQLITE_BUSY_SECONDS = 30
POOL_CONNECTIONS = 40
"""One for each thread of the API that may read at once; SQLite connections are files, PostgreSQL's default limit is 100."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_CURRENT_REVISION = select(tables.revision.c.value)
_NEXT_REVISION = update(tables.revision).values(value=tables.revision.c.value + 1).returning(tables.revision.c.value)
_LAST_TIME = select(tables.revisions.c.at).order_by(tables.revisions.c.value.desc()).limit(1)


class Database:
    """Transactions on the catalog's database. Errors of the driver leave as CatalogUnavailable."""

    def __init__(self, url: str, *, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite(url) if self.is_sqlite else _postgres(url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot: every statement within sees the same commit."""
        with self._transaction(write=False) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that is durable when the block ends and leaves nothing when it raises."""
        with self._transaction(write=True) as connection:
            yield connection

    def now(self) -> str:
        return stamp(self.clock.now())

    def migrate(self, *, to: str = "head") -> None:
        """Bring the schema to this version's, or to the revision `to`. Refuses a schema that is newer than this program.

        Raises:
            Conflict: the catalog was written by a newer version of Archivist.
        """
        with translated(), self.engine.connect() as connection:
            at = _schema_version(connection)
            if at is not None and at not in _known_versions():
                raise Conflict(f"the catalog's schema ({at}) is newer than this program knows: upgrade Archivist")
            if at == (_known_versions()[0] if to == "head" else to):
                return
            connection.rollback()
            config = _alembic()
            config.attributes["connection"] = connection
            with self._foreign_keys_at_rest(connection):
                command.upgrade(config, to)

    def secret(self, name: str, *, size_bytes: int = 32) -> bytes:
        """A random key that is made at the first call and stays the same ever after."""
        with self.read() as connection:
            found = connection.scalar(select(tables.secrets.c.value).where(tables.secrets.c.name == name))
        if found is None:
            try:
                with self.write() as connection:
                    connection.execute(insert(tables.secrets).values(name=name, value=random.token_bytes(size_bytes)))
            except Conflict:
                pass  # another process made it at the same moment: read theirs
            return self.secret(name, size_bytes=size_bytes)
        return bytes(found)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _foreign_keys_at_rest(self, connection: Connection) -> Iterator[None]:
        """SQLite changes a table by making it anew, for which no row may refer to it; afterwards every reference is checked."""
        if not self.is_sqlite:
            yield
            return
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute("PRAGMA foreign_keys = OFF")  # without effect inside a transaction, so said to the driver outside of one
        try:
            yield
            if driver.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise Conflict("the catalog holds references to rows that are not there")
        finally:
            driver.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[Connection]:
        with translated(), self.engine.connect() as connection:
            if not self.is_sqlite and not write:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            connection.info.update(write=write, clock=self.clock)
            with connection.begin():
                yield connection


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


@cache
def _known_versions() -> tuple[str, ...]:
    """Of the schema, newest first. Read once: it takes longer than opening a catalog."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions())


def current_revision(connection: Connection) -> int:
    return int(connection.scalar(_CURRENT_REVISION) or 0)


def next_revision(connection: Connection) -> int:
    """Take the next revision for this transaction. Writers queue here, so revisions commit in order.

    Its time is kept with it: the clock's, or that of the revision before it where the clock has gone back.
    """
    value = int(connection.execute(_NEXT_REVISION).scalar_one())
    at = max(stamp(connection.info["clock"].now()), connection.scalar(_LAST_TIME) or "")
    connection.execute(insert(tables.revisions).values(value=value, at=at))
    return value


@contextmanager
def translated() -> Iterator[None]:
    """The one seam where the driver's errors become ours; the cause is kept."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("the catalog refused a write that breaks one of its constraints") from error
    except (DBAPIError, PoolTimeout) as error:
        raise CatalogUnavailable(f"the catalog cannot be used now ({type(error).__name__})") from error


def _sqlite(url: str) -> Engine:
    location = make_url(url).database
    if location and location != ":memory:":
        Path(location).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, pool_size=POOL_CONNECTIONS, max_overflow=0, connect_args={"check_same_thread": False, "timeout": SQLITE_BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's record has no public type
        connection.isolation_level = None  # we say BEGIN ourselves; the driver's own way breaks snapshots
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "mmap_size = 268435456", "cache_size = -16384"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info.get("write", True) else "BEGIN")

    return engine


def _postgres(url: str) -> Engine:
    return create_engine(url, pool_size=POOL_CONNECTIONS, max_overflow=0, pool_pre_ping=True)


def _schema_version(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if version is None else str(version)
