"""Rows of a table or query in somebody else's database: read, never written, and never all in memory at once.

SQLite and PostgreSQL are held to reading by their own means. Of any other database that SQLAlchemy knows, the account must be one that
can only read; its statements have no time limit but the driver's.
"""

import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    URL,
    ColumnClause,
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    NullPool,
    RowMapping,
    Text,
    bindparam,
    cast,
    column,
    create_engine,
    func,
    quoted_name,
    select,
    table,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.types import NullType

from retrieval.domain.errors import SourceUnavailable

Row = RowMapping
"""Column names, and `text_label`s of texts, to values."""
_STEPS_BETWEEN_LOOKS = 10_000
_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_REASONS = (
    (("28", "no password"), "it does not take the credential"),
    (("42501",), "the account may not read that table"),
    (("42P01", "no such table"), "there is no such table"),
    (("42703", "no such column"), "there is no such column"),
    (("42601", "syntax error", "incomplete input"), "the query is not understood"),
    (("57014", "interrupted"), "a statement took too long"),
    (("25006", "attempt to write"), "the query tries to write"),
    (("08", "unable to open"), "it cannot be reached"),
)
"""How the driver's code or message begins, and what that means. The message itself may hold addresses and values, so it is not told."""


@dataclass(frozen=True)
class Relation:
    """What is read: a table or view by its name, such as `kb.articles`, or else the rows of one SELECT."""

    table: str = ""
    query: str = ""


@dataclass(frozen=True)
class Limits:
    """How long a database is waited for, and how much of it is held.

    Attributes:
        rows: in memory at once while a relation is read.
        characters: of one text; what is longer is cut there by the database, so ask for one more than is allowed.
    """

    connect_seconds: int
    statement_seconds: int
    rows: int
    characters: int


def host_of(url: str) -> tuple[str, int] | None:
    """Host and port that a database URL leads to; None for a file.

    Raises:
        SourceUnavailable: not a URL of a database, or one that names its hosts in any other way.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return None
    if not parsed.host or {"host", "hostaddr", "service", "port", "unix_socket"} & set(parsed.query):
        raise SourceUnavailable("the database's URL must name one host, before the path")
    return parsed.host, parsed.port or (5432 if parsed.get_backend_name() == "postgresql" else 0)


class ForeignRows:
    """One relation. Safe to use from several threads: every read has a connection of its own.

    Args:
        addresses: of the URL's host, checked; PostgreSQL's driver connects to them and to no others.
    """

    def __init__(self, url: str, relation: Relation, *, limits: Limits, addresses: Sequence[str] = ()) -> None:
        self._engine = _engine(_parsed(url), limits, addresses)
        self._limits = limits
        self._relation = relation

    def all(self, columns: Sequence[str], texts: Sequence[str], *, order: Sequence[str]) -> Iterator[Row]:
        """Every row, in one snapshot where the database has them.

        Args:
            columns: read as they are.
            texts: read as text, cut to the limit; in a row they are under `text_label`.
            order: columns by which the rows come.

        Raises:
            SourceUnavailable: at any point; says what is wrong without the URL, the query or a value.
        """
        relation = self._named({*columns, *texts, *order})
        statement = select(*self._selected(relation, columns, texts)).order_by(*(relation.c[name] for name in order))
        with self._reading() as connection:
            streamed = connection.execution_options(yield_per=self._limits.rows, stream_results=True)
            with streamed.execute(statement) as result:
                for rows in result.mappings().partitions():
                    yield from rows
                    self._start_clock(connection)

    def where(self, columns: Sequence[str], texts: Sequence[str], *, equal: Mapping[str, str]) -> Sequence[Row]:
        """The rows whose columns are written so, at most two."""
        relation = self._named({*columns, *texts, *equal})
        wanted = [self._is_written(relation.c[name], value) for name, value in equal.items()]
        statement = select(*self._selected(relation, columns, texts)).where(*wanted).limit(2)
        with self._reading() as connection:
            return connection.execute(statement).mappings().all()

    def close(self) -> None:
        self._engine.dispose()

    def _selected(self, relation: FromClause, columns: Sequence[str], texts: Sequence[str]) -> list[ColumnElement[Any]]:
        cut = [func.substr(cast(relation.c[name], Text), 1, self._limits.characters).label(text_label(name)) for name in texts]
        return [*(relation.c[name] for name in dict.fromkeys(columns)), *cut]

    def _is_written(self, column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
        """The database reads the value in the column's own type. SQLite gives columns of a query none, so a number is tried as one."""
        found = column == bindparam(None, value, NullType())
        if self._engine.dialect.name == "sqlite" and _WHOLE_NUMBER.fullmatch(value):
            found |= column == bindparam(None, int(value), NullType())
        return found

    def _named(self, columns: Iterable[str]) -> FromClause:
        """The relation under a name that stands before each column: SQLite takes a misspelt column in quotes for a text otherwise."""
        quoted: list[ColumnClause[Any]] = [column(quoted_name(name, quote=True)) for name in columns]
        schema, _, name = self._relation.table.rpartition(".")
        if name:
            found = table(quoted_name(name, quote=True), *quoted, schema=quoted_name(schema, quote=True) if schema else None)
        else:
            doubles_percents = self._engine.dialect.paramstyle in {"format", "pyformat"}
            query = self._relation.query.replace("%", "%%") if doubles_percents else self._relation.query
            found = table(quoted_name(f"(\n{query}\n)", quote=False), *quoted)
        return found.alias("archivist_rows")

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _translated(), self._engine.connect() as connection:
            if self._engine.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._start_clock(connection)
            with connection.begin():
                if self._engine.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {self._limits.statement_seconds * 1000}")
                yield connection

    def _start_clock(self, connection: Connection) -> None:
        """SQLite has no limit of its own for the time until the next rows."""
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            ends = time.monotonic() + self._limits.statement_seconds
            driver.set_progress_handler(lambda: int(time.monotonic() > ends), _STEPS_BETWEEN_LOOKS)


def text_label(name: str) -> str:
    """The name under which a text column stands in a row."""
    return f"text:{name}"


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise SourceUnavailable(
            "the credential is not the URL of a database, such as postgresql+psycopg://user:password@host/name"
        ) from None


def _engine(url: URL, limits: Limits, addresses: Sequence[str]) -> Engine:
    name = url.get_backend_name()
    arguments: dict[str, object] = {}
    if name == "postgresql":
        arguments = {"connect_timeout": limits.connect_seconds}
        if addresses:
            arguments |= {"host": ",".join([url.host or ""] * len(addresses)), "hostaddr": ",".join(addresses)}
    try:
        if name == "sqlite":
            return create_engine("sqlite://", creator=lambda: _sqlite(url, limits), poolclass=NullPool)
        return create_engine(url, connect_args=arguments, pool_size=2, pool_timeout=limits.connect_seconds, pool_pre_ping=True)
    except (ImportError, NoSuchModuleError, SQLAlchemyError) as error:
        raise SourceUnavailable(f"no driver for {name} databases is installed here") from error


def _sqlite(url: URL, limits: Limits) -> sqlite3.Connection:
    """Opened for reading. What is not UTF-8 becomes the replacement character."""
    file = (url.database or "").replace("?", "%3f").replace("#", "%23")
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=limits.connect_seconds, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.text_factory = lambda content: content.decode("utf-8", "replace")
    return connection


@contextmanager
def _translated() -> Iterator[None]:
    """No cause is kept: the driver's errors hold statements, parameters and addresses, and end in logs."""
    try:
        yield
    except DBAPIError as error:
        raise SourceUnavailable(f"the database cannot be read: {_reason(error.orig)}") from None
    except SQLAlchemyError as error:
        raise SourceUnavailable(f"the database cannot be read: {type(error).__name__}") from None


def _reason(error: BaseException | None) -> str:
    told = (str(getattr(error, "sqlstate", None) or ""), str(error))
    for beginnings, meaning in _REASONS:
        if any(text.startswith(beginnings) for text in told if text):
            return meaning
    return type(error).__name__
