"""The `sql` connector: one document for each row of a table or a query, with the readers that the row names."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import structlog

from pipelines.connectors.credentials import credential
from pipelines.connectors.hosts import addresses_of, names
from pipelines.connectors.location import selection, value, values
from pipelines.connectors.permissions import Rules
from pipelines.connectors.plugin import Plugin
from pipelines.connectors.port import FileRefused, Probe
from pipelines.connectors.probing import probe_listing
from pipelines.connectors.row_documents import RowShape
from pipelines.connectors.selection import Selection
from retrieval.adapters.foreign_rows import ForeignRows, Limits, Relation, Row, host_of
from retrieval.domain.documents import Fetched, Gone, NotModified, SourceFile
from retrieval.domain.errors import FieldProblem, SourceUnavailable
from retrieval.domain.source_kinds import SQL
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

MAX_QUERY_CHARACTERS = 20_000
_TABLE = re.compile(r"[^\W\d][\w$]{0,62}(\.[^\W\d][\w$]{0,62})?")
_SELECT = re.compile(r"\s*(select|with)\b[^;\0]*", re.IGNORECASE)

_log = structlog.get_logger(__name__)


class SqlConnector:
    """Rows of one relation. A listing reads the rows' texts only where no column tells that a row changed.

    Args:
        opening: of the relation, at first use: a credential may have to be asked for.
    """

    def __init__(
        self,
        opening: Callable[[], ForeignRows],
        shape: RowShape,
        *,
        selection: Selection,
        rules: Rules,
        max_rows: int,
        max_bytes: int,
    ) -> None:
        self._opening = opening
        self._shape = shape
        self._selection = selection
        self._rules = rules
        self._max_rows = max_rows
        self._max_bytes = max_bytes

    def list(self) -> Iterator[SourceFile]:
        shape = self._shape
        seen: set[str] = set()
        for row in self._rows.all(shape.listed, () if shape.updated else shape.texts, order=shape.ids):
            key = shape.key(row)
            if not self._selection.takes(key):
                continue
            if key in seen:
                raise SourceUnavailable("two rows have the same id; name the columns that tell rows apart in id_columns")
            seen.add(key)
            if len(seen) > self._max_rows:
                raise SourceUnavailable(f"the source has more than {self._max_rows} rows; include less, or raise source_max_files")
            yield self._source_file(key, row)
        _log.info("source listed", documents=len(seen))

    def fetch(self, file: SourceFile, *, known: str | None) -> Fetched | NotModified | Gone:
        shape = self._shape
        ids = shape.written_ids(file.key)
        if ids is None or not self._selection.takes(file.key):
            raise FileRefused("the row is not one of the source's")
        found = [row for row in self._rows.where(shape.listed, shape.texts, equal=ids) if shape.key(row) == file.key]
        if not found:
            return Gone()
        if len(found) > 1:
            raise FileRefused("two rows have the same id")
        content = shape.document(found[0], max_bytes=self._max_bytes)
        validator = hashlib.blake2b(content, digest_size=16).hexdigest()
        if known == validator:
            return NotModified()
        return Fetched(
            content,
            validator=validator,
            media_type=shape.media_type,
            modified_at=shape.modified_at(found[0]),
            title=shape.title_of(found[0]) or None,
        )

    def probe(self) -> Probe:
        return probe_listing(self)

    def close(self) -> None:
        if "_rows" in vars(self):
            self._rows.close()

    @cached_property
    def _rows(self) -> ForeignRows:
        return self._opening()

    def _source_file(self, key: str, row: Row) -> SourceFile:
        found = self._rules.policy_of(key, inherited=self._shape.permissions(row))
        return SourceFile(
            key,
            self._shape.uri(row, key),
            fingerprint=self._shape.fingerprint(row),
            modified_at=self._shape.modified_at(row),
            policy=found.policy,
            policy_problem=found.problem,
        )


def _connect(spec: SourceSpec, settings: Settings) -> SqlConnector:
    def given(name: str) -> str:
        return value(spec, SQL, name)

    shape = RowShape(
        spec.id,
        values(spec, SQL, "id_columns"),
        values(spec, SQL, "text_columns"),
        title=given("title_column"),
        updated=given("updated_column"),
        allowed=given("allowed_column"),
        denied=given("denied_column"),
        link=given("link_column"),
        format=given("format"),
        named_as=given("named_as"),
    )
    return SqlConnector(
        lambda: _open(given("database"), Relation(given("table"), given("query")), settings),
        shape,
        selection=selection(spec, SQL),
        rules=Rules(spec.rules),
        max_rows=settings.source_max_files,
        max_bytes=settings.source_max_file_bytes,
    )


def _open(reference: str, relation: Relation, settings: Settings) -> ForeignRows:
    url = credential(reference, settings)
    place = host_of(url)
    addresses: Sequence[str] = ()
    if place is not None:
        allowed = names(settings.sql_hosts)
        if allowed and place[0].lower() not in allowed:
            raise SourceUnavailable("the database's host is not one that sources may read; ask who operates the service (sql_hosts)")
        addresses = [str(address) for address in addresses_of(*place, allow_private=True)]
    limits = Limits(
        connect_seconds=settings.sql_connect_seconds,
        statement_seconds=settings.sql_statement_seconds,
        rows=settings.sql_fetch_rows,
        characters=settings.source_max_file_bytes + 1,
    )
    return ForeignRows(url, relation, limits=limits, addresses=addresses)


def _problems(spec: SourceSpec, _settings: Settings) -> Iterator[FieldProblem]:
    tables, queries = values(spec, SQL, "table"), values(spec, SQL, "query")
    if bool(tables) == bool(queries):
        yield FieldProblem("location.table", "give either 'table' or 'query'")
    if any(not _TABLE.fullmatch(name) for name in tables):
        yield FieldProblem("location.table", "the name of a table or view, such as 'articles' or 'kb.articles'")
    if any(not _SELECT.fullmatch(query) or len(query) > MAX_QUERY_CHARACTERS for query in queries):
        yield FieldProblem(
            "location.query", "one statement that begins with SELECT or WITH, without ';'", f"{MAX_QUERY_CHARACTERS} characters"
        )


PLUGIN = Plugin(SQL, connect=_connect, problems=_problems)
