"""What a rollback would change: for each document of a source its version now and the one wanted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Connection, Row, and_, bindparam, func, or_, select, union_all

from retrieval.adapters.catalog.embeddings import WITHOUT_EMBEDDING
from retrieval.adapters.catalog.engine import current_revision
from retrieval.adapters.catalog.tables import (
    document_versions,
    documents,
    holds,
    passages,
    recalled_versions,
    source_runs,
    sources,
    validity,
)
from retrieval.adapters.catalog.versions.intervals import revision_at
from retrieval.domain.clock import stamp
from retrieval.domain.errors import InvalidInput
from retrieval.domain.versions import RollbackChange, RollbackKind, RollbackPlan, RollbackRefusal, RollbackRequest

T = TypeVar("T")
AT_ONCE = 5_000
"""Ids in one statement; databases limit those."""


@dataclass(frozen=True)
class Version:
    """A version as far as a rollback has to know it."""

    id: str
    number: int
    content_hash: str
    passages: int


@dataclass(frozen=True)
class Move:
    """One document from one version to another; None: to or from having none.

    Attributes:
        at_source: hash of the content that the source has, as far as is known; None: it lacks the document.
    """

    document: str
    key: str
    parent: str | None
    access_class: int
    at_source: str | None
    now: Version | None
    then: Version | None
    refused: RollbackRefusal | None

    @property
    def kind(self) -> RollbackKind:
        if self.then is None:
            return RollbackKind.WITHDRAWN
        return RollbackKind.BROUGHT_BACK if self.now is None else RollbackKind.RESTORED


@dataclass(frozen=True)
class Moves:
    """Everything that a request asks for; `left_withdrawn` counts documents that it does not ask back."""

    moves: tuple[Move, ...]
    left_withdrawn: int

    def as_plan(self, source: str) -> RollbackPlan:
        changes = tuple(
            RollbackChange(move.document, move.key, move.kind, _number(move.now), _number(move.then), move.refused) for move in self.moves
        )
        return RollbackPlan(source, changes, self.left_withdrawn)


def moves_of(connection: Connection, request: RollbackRequest, *, model: str, most: int) -> Moves:
    """Raises InvalidInput for what is not there, and for more than `most` documents."""
    if connection.scalar(select(sources.c.id).where(sources.c.id == request.source)) is None:
        raise InvalidInput.of("source", "there is no such source")
    rows = _rows(connection, request)
    if len(rows) > most:
        raise InvalidInput.of("source", "more documents would change than one rollback may", limit=f"{most} documents")
    versions = _versions(connection, {id_ for row in rows for id_ in (row.now, row.then) if id_ is not None})
    refusals = _refusals(connection, [row.then for row in rows if row.then is not None], model)
    found = [_move(row, versions, refusals) for row in rows]
    restored = {move.document for move in found if move.kind is RollbackKind.RESTORED}
    wanted = tuple(m for m in found if request.bring_back or m.kind is not RollbackKind.BROUGHT_BACK or m.parent in restored)
    return Moves(wanted, len(found) - len(wanted))


def portions(values: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    ahead = iter(values)
    while some := list(islice(ahead, size)):
        yield some


def _rows(connection: Connection, request: RollbackRequest) -> Sequence[Row[Any]]:
    """Documents whose version now is not the one wanted. `until` is the revision whose state is wanted."""
    if request.undo_run is not None:
        _known_run(connection, request.source, request.undo_run)
        rows = connection.execute(_UNDOING, {"source": request.source, "run": request.undo_run}).all()
    else:
        rows = connection.execute(_GOING_BACK, {"source": request.source, "until": _revision(connection, request)}).all()
    return rows if request.document is None else [row for row in rows if request.document in (row.id, row.parent)]


def _revision(connection: Connection, request: RollbackRequest) -> int:
    if request.document is not None and connection.execute(_DOCUMENT, {"id": request.document, "source": request.source}).first() is None:
        raise InvalidInput.of("document", "there is no such document in this source")
    if request.version is not None:
        asked = {"document": request.document, "number": request.version, "now": current_revision(connection)}
        last = connection.scalar(_LAST_OF_VERSION, asked)
        if last is None:
            raise InvalidInput.of("version", "there is no such version, or nobody has ever seen it, or it has been removed")
        return int(last)
    if request.before_run is not None:
        _known_run(connection, request.source, request.before_run)
        changed = [first for first in connection.scalars(_FIRST_OF_RUN, {"run": request.before_run, "source": request.source}) if first]
        return min(changed) - 1 if changed else current_revision(connection)
    if request.at is not None:
        found = revision_at(connection, stamp(request.at))
        if found is None:
            raise InvalidInput.of("at", "is before anything was published")
        return found
    wanted = request.revision or 0
    if not 0 < wanted <= current_revision(connection):
        raise InvalidInput.of("revision", "there is no such revision", limit=f"1 to {current_revision(connection)}")
    return wanted


def _known_run(connection: Connection, source: str, run: str) -> None:
    if connection.scalar(select(source_runs.c.id).where(source_runs.c.id == run, source_runs.c.source == source)) is None:
        raise InvalidInput.of("run", "there is no such run of this source")


def _versions(connection: Connection, wanted: Iterable[str]) -> dict[str, Version]:
    columns = (document_versions.c.id, document_versions.c.number, document_versions.c.content_hash, document_versions.c.passages)
    rows = (
        row for some in portions(sorted(wanted)) for row in connection.execute(select(*columns).where(document_versions.c.id.in_(some)))
    )
    return {row.id: Version(row.id, row.number, row.content_hash, row.passages) for row in rows}


def _refusals(connection: Connection, versions: Iterable[str], model: str) -> dict[str, RollbackRefusal]:
    """Why those of the versions that cannot be gone back to cannot."""
    found: dict[str, RollbackRefusal] = {}
    for some in portions(versions):
        found |= dict.fromkeys(connection.scalars(_BARE, {"versions": some, "model": model}), RollbackRefusal.NOT_EMBEDDED)
        found |= dict.fromkeys(connection.scalars(_RECALLED, {"versions": some}), RollbackRefusal.RECALLED)
    return found


def _move(row: Row[Any], versions: dict[str, Version], refusals: Mapping[str, RollbackRefusal]) -> Move:
    now, then = (None if id_ is None else versions[id_] for id_ in (row.now, row.then))
    refused = None if then is None else refusals.get(then.id)
    if then is None and row.history_from is not None and row.until < row.history_from:
        refused = RollbackRefusal.REMOVED
    at_source = row.held if row.is_held else (None if now is None else now.content_hash)
    return Move(row.id, row.key, row.parent, row.access_class, at_source, now, then, refused)


def _number(version: Version | None) -> int | None:
    return None if version is None else version.number


_COLUMNS = (
    documents.c.id,
    documents.c.key,
    documents.c.parent,
    documents.c.access_class,
    documents.c.history_from,
    documents.c.current_version.label("now"),
    holds.c.content_hash.label("held"),
    holds.c.document.is_not(None).label("is_held"),
)
_OF_SOURCE = documents.c.source == bindparam("source")
_THEN = (
    select(document_versions.c.document, document_versions.c.id.label("then"))
    .join(validity, validity.c.version == document_versions.c.id)
    .where(document_versions.c.source == bindparam("source"), validity.c.valid_from <= bindparam("until"))
    .where(validity.c.valid_to.is_(None) | (validity.c.valid_to > bindparam("until")))
    .subquery("as_of")
)
_GOING_BACK = (
    select(*_COLUMNS, _THEN.c.then, bindparam("until", type_=BigInteger).label("until"))
    .outerjoin(_THEN, _THEN.c.document == documents.c.id)
    .outerjoin(holds, holds.c.document == documents.c.id)
    .where(_OF_SOURCE, documents.c.current_version.is_distinct_from(_THEN.c.then))
    .order_by(documents.c.key)
)
_mine, _opened = document_versions.alias("mine"), validity.alias("opened")
_theirs, _closed = document_versions.alias("theirs"), validity.alias("closed")
_earlier = validity.alias("earlier")
_REPLACED = (
    select(_theirs.c.document, _theirs.c.id.label("version"), _closed.c.valid_to)
    .join(_closed, _closed.c.version == _theirs.c.id)
    .where(_theirs.c.source == bindparam("source"), _closed.c.closed_run == bindparam("run"))
    .subquery("replaced")
)
_PUBLISHED = (
    select(_mine.c.document, _opened.c.valid_from)
    .join(_opened, and_(_opened.c.version == _mine.c.id, _opened.c.valid_to.is_(None)))
    .where(_mine.c.source == bindparam("source"), _mine.c.published_run == bindparam("run"))
    .where(~select(_earlier.c.version).where(_earlier.c.version == _mine.c.id, _earlier.c.valid_to.is_not(None)).exists())
    .subquery("published")
)
_ends = validity.alias("ends")
_versions_of = document_versions.alias("versions_of")
_LAST_END = (
    select(func.max(_ends.c.valid_to))
    .join(_versions_of, _versions_of.c.id == _ends.c.version)
    .where(_versions_of.c.document == documents.c.id)
    .scalar_subquery()
)
_UNDOING = (
    select(*_COLUMNS, _REPLACED.c.version.label("then"), (_PUBLISHED.c.valid_from - 1).label("until"))
    .outerjoin(_PUBLISHED, _PUBLISHED.c.document == documents.c.id)
    .outerjoin(
        _REPLACED,
        and_(
            _REPLACED.c.document == documents.c.id,
            or_(
                _REPLACED.c.valid_to == _PUBLISHED.c.valid_from,
                and_(documents.c.current_version.is_(None), _REPLACED.c.valid_to == _LAST_END),
            ),
        ),
    )
    .outerjoin(holds, holds.c.document == documents.c.id)
    .where(_OF_SOURCE, or_(_PUBLISHED.c.document.is_not(None), _REPLACED.c.version.is_not(None)))
    .order_by(documents.c.key)
)
"""What the run published and is still current goes back to what it replaced; what it withdrew and is still gone, to what it was."""
_DOCUMENT = select(documents.c.id).where(documents.c.id == bindparam("id"), documents.c.source == bindparam("source"))
_LAST_OF_VERSION = (
    select(func.max(func.coalesce(validity.c.valid_to - 1, bindparam("now", type_=BigInteger))))
    .join(document_versions, document_versions.c.id == validity.c.version)
    .where(document_versions.c.document == bindparam("document"), document_versions.c.number == bindparam("number"))
)
_OF_RUN = validity.join(document_versions, document_versions.c.id == validity.c.version)
_FIRST_OF_RUN = union_all(
    select(func.min(validity.c.valid_from)).select_from(_OF_RUN).where(document_versions.c.published_run == bindparam("run")),
    select(func.min(validity.c.valid_to))
    .select_from(_OF_RUN)
    .where(document_versions.c.source == bindparam("source"), validity.c.closed_run == bindparam("run")),
)
_BARE = (
    select(document_versions.c.id)
    .where(document_versions.c.id.in_(bindparam("versions", expanding=True)))
    .where(select(passages.c.id).where(passages.c.version == document_versions.c.id, WITHOUT_EMBEDDING).exists())
)
_RECALLED = select(recalled_versions.c.version).where(recalled_versions.c.version.in_(bindparam("versions", expanding=True)))
