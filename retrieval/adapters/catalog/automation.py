"""What is known of the runs of all sources, in one read; and how a run's end changes when the next is due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import source_automation, source_runs, sources
from retrieval.domain.automation import RetryPace, SourceOutlook
from retrieval.domain.ingestion import SUCCEEDED, SourceRun
from retrieval.domain.sources import SourceState


class CatalogAutomation:
    """`Automation` over the catalog."""

    def __init__(self, database: Database, pace: RetryPace | None = None) -> None:
        self._database = database
        self._pace = pace or RetryPace()

    def outlooks(self) -> Sequence[SourceOutlook]:
        with self._database.read() as connection:
            return [_outlook(row) for row in connection.execute(_OUTLOOKS)]

    def asked(self, sources: Sequence[SourceOutlook]) -> None:
        now = self._database.clock.now()
        with self._database.write() as connection:
            for outlook in sources:
                attempts = outlook.attempts + 1
                values = {
                    "attempts": attempts,
                    "asked_version": outlook.version,
                    "next_attempt_at": self._pace.next_attempt_at(attempts, now),
                }
                remember(connection, outlook.source, **values)


def remember(connection: Connection, source: str, **values: object) -> None:
    """Change what is remembered of a source, holding the source's row until the commit: two that remember must not both begin."""
    connection.execute(select(sources.c.id).where(sources.c.id == source).with_for_update())
    changed = update(source_automation).where(source_automation.c.source == source).values(**values)
    if connection.execute(changed).rowcount == 0:
        connection.execute(insert(source_automation).values(source=source, **values))


def pushes_of(connection: Connection, source: str) -> int:
    """How many changes were pushed to the source so far."""
    return int(connection.scalar(select(source_automation.c.pushes).where(source_automation.c.source == source)) or 0)


def settle(connection: Connection, run: SourceRun, outcome: str, pace: RetryPace, now: datetime) -> None:
    """Remember how the newest run ended: success has taken what was pushed before it began, anything else is tried again.

    What an older run says is not heeded: the one that took the source over from it will say more.
    """
    row = connection.execute(_NEWEST, {"run": run.id}).one_or_none()
    if row is None:
        return
    if outcome == SUCCEEDED:
        remember(connection, run.source, attempts=0, next_attempt_at=None, pushes_taken=row.pushes or 0)
    else:
        attempts = max(row.attempts or 0, 1)
        remember(connection, run.source, attempts=attempts, next_attempt_at=pace.next_attempt_at(attempts, now))


def _outlook(row: Row[Any]) -> SourceOutlook:
    return SourceOutlook(
        source=row.id,
        state=SourceState(row.state),
        version=row.spec_version,
        succeeded_version=row.last_success_spec_version,
        last_outcome=row.outcome,
        has_run=row.run is not None,
        waiting_pushes=row.waiting_pushes,
        attempts=row.attempts or 0,
        asked_version=row.asked_version,
        next_attempt_at=row.next_attempt_at,
    )


_IS_NEWEST = (source_runs.c.source == sources.c.id) & (source_runs.c.token == sources.c.run_token)
_OUTLOOKS = (
    select(
        sources.c.id,
        sources.c.state,
        sources.c.spec_version,
        sources.c.last_success_spec_version,
        source_runs.c.id.label("run"),
        source_runs.c.outcome,
        (func.coalesce(source_automation.c.pushes, 0) - func.coalesce(source_automation.c.pushes_taken, 0)).label("waiting_pushes"),
        source_automation.c.attempts,
        source_automation.c.asked_version,
        source_automation.c.next_attempt_at,
    )
    .join(source_runs, _IS_NEWEST, isouter=True)
    .join(source_automation, source_automation.c.source == sources.c.id, isouter=True)
    .where(sources.c.state != SourceState.RETIRED.value)
    .order_by(sources.c.id)
)
_NEWEST = (
    select(source_runs.c.pushes, source_automation.c.attempts)
    .join(sources, _IS_NEWEST)
    .join(source_automation, source_automation.c.source == sources.c.id, isouter=True)
    .where(source_runs.c.id == bindparam("run"))
)
