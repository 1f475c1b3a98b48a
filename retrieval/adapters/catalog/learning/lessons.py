"""`Lessons` over the catalog: what a decided escalation teaches is learned whole or not at all, and once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from retrieval.adapters.catalog.audit.secrecy import keys_of, make_keys
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.learning import gap_rows
from retrieval.adapters.catalog.learning.curated import CatalogCurated
from retrieval.adapters.catalog.learning.curated_rows import next_change
from retrieval.adapters.catalog.tables import learning_progress
from retrieval.domain.curated import CuratedAnswer
from retrieval.ports.learning import Lesson

_RESOLUTIONS = "resolutions"
_MINE = learning_progress.c.name == _RESOLUTIONS


class CatalogLessons:
    """`Lessons` over the catalog."""

    def __init__(self, database: Database, curated: CatalogCurated) -> None:
        self._database = database
        self._curated = curated

    def progress(self) -> str:
        with self._database.read() as connection:
            return connection.scalar(select(learning_progress.c.after).where(_MINE)) or ""

    def learn(self, lessons: Sequence[Lesson], *, expires_at: datetime, progress: str) -> list[CuratedAnswer]:
        make_keys(self._database)
        with self._database.write() as connection:
            if connection.execute(update(learning_progress).where(_MINE).values(after=progress)).rowcount == 0:
                connection.execute(insert(learning_progress).values(name=_RESOLUTIONS, after=progress))
            gap_rows.add(connection, [gap for lesson in lessons for gap in lesson.gaps], keys_of(connection))
            drafts = [lesson.curated for lesson in lessons if lesson.curated is not None]
            if drafts:
                next_change(connection)  # its row is locked before the audit log's end, as everywhere
            return [self._curated.derive(connection, draft, expires_at=expires_at) for draft in drafts]
