"""What was current once: which versions may still be read of the past, when each was current, and how far back anybody may ask."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, or_, select

from retrieval.adapters.catalog.engine import Database, current_revision
from retrieval.adapters.catalog.tables import document_versions, documents, holds, recalled_versions, revisions, sources, validity
from retrieval.adapters.catalog.versions.intervals import revision_at
from retrieval.domain.clock import stamp
from retrieval.domain.documents import VersionState
from retrieval.domain.errors import InvalidInput, RevisionNotReached
from retrieval.domain.passages import Gap
from retrieval.domain.queries import Moment
from retrieval.domain.sources import SourceState

_HELD_BACK = (
    select(holds.c.document).where(holds.c.document == documents.c.id, holds.c.content_hash == document_versions.c.content_hash).exists()
)
_RECALLED = select(recalled_versions.c.version).where(recalled_versions.c.version == document_versions.c.id).exists()
MAY_BE_READ_OF_THE_PAST = and_(sources.c.state != SourceState.RETIRED.value, ~_HELD_BACK, ~_RECALLED)
"""Condition on `sources`, `documents` and `document_versions`: not of a source that is gone, and neither held back nor recalled."""

WAS_VALID = and_(
    document_versions.c.state != VersionState.STAGED.value,
    validity.c.valid_from <= bindparam("as_of"),
    or_(validity.c.valid_to.is_(None), validity.c.valid_to > bindparam("as_of")),
    MAY_BE_READ_OF_THE_PAST,
)
"""Condition on `validity` besides: was current at the revision `as_of`. Of a version's intervals one at most holds."""


@dataclass(frozen=True)
class ValidVersion:
    """A version that is current (`valid_to` is None) or was, and when: from the first revision on and before the last, but for the gaps."""

    document: str
    id: str
    valid_from: int
    valid_to: int | None
    gaps: tuple[Gap, ...]

    @classmethod
    def of(cls, rows: Iterable[Row[Any]]) -> "ValidVersion":
        """From the intervals of one version, in their order."""
        intervals = list(rows)
        first, last = intervals[0], intervals[-1]
        gaps = tuple((before.valid_to, after.valid_from) for before, after in pairwise(intervals))
        return cls(first.document, first.version, first.valid_from, last.valid_to, gaps)


class CatalogHistory:
    """`MomentReader` over the catalog.

    Args:
        max_days: how far back anybody may ask, in days; 0: nobody may.
    """

    def __init__(self, database: Database, *, max_days: int) -> None:
        self._database = database
        self._max_days = max_days

    def at(self, time: datetime) -> Moment:
        if time > self._database.clock.now():
            raise InvalidInput.of("as_of", "lies in the future", limit="no later than now")
        if time < _oldest(self._database, self._max_days):
            raise self._too_old()
        with self._database.read() as connection:
            return Moment(revision_at(connection, stamp(time)) or 0, time, is_dated=True)

    def of_revision(self, revision: int) -> Moment:
        with self._database.read() as connection:
            if revision > current_revision(connection):
                raise RevisionNotReached("the catalog that answers is older than what the caller has seen")
            made, ended = connection.execute(_LASTED, {"revision": revision}).one()
        if not self._max_days or (ended is not None and ended < stamp(_oldest(self._database, self._max_days))):
            raise self._too_old()
        return Moment(revision, datetime.fromisoformat(made or ended or self._database.now()), is_dated=False)

    def _too_old(self) -> InvalidInput:
        return InvalidInput.of("as_of", "lies before what is kept to be asked for", limit=f"{self._max_days} days back")


def oldest_revision(connection: Connection, database: Database, max_days: int) -> int:
    """Of the earliest time that anybody may ask of: what ended by then is not kept to be asked of."""
    if not max_days:
        return current_revision(connection)
    return revision_at(connection, stamp(_oldest(database, max_days))) or 0


def _oldest(database: Database, max_days: int) -> datetime:
    return database.clock.now() - timedelta(days=max_days)


_LASTED = select(
    select(func.max(revisions.c.at)).where(revisions.c.value <= bindparam("revision")).scalar_subquery(),
    select(func.min(revisions.c.at)).where(revisions.c.value > bindparam("revision")).scalar_subquery(),
)
"""When a revision was made and when the next one was; times never go back."""
