"""Runs over sources, and the token that lets only the newest run write."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection, insert, select, update

from retrieval.adapters.catalog.automation import pushes_of, settle
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import source_runs, sources
from retrieval.domain.automation import RetryPace
from retrieval.domain.errors import Conflict, Fenced, InvalidInput
from retrieval.domain.ingestion import SUCCEEDED, RunProgress, SourceRun
from retrieval.domain.sources import SourceState


class CatalogRuns:
    """`RunLedger` over the catalog."""

    def __init__(self, database: Database, pace: RetryPace | None = None) -> None:
        self._database = database
        self._pace = pace or RetryPace()

    def start(self, source: str, run_id: str) -> SourceRun:
        with self._database.write() as connection:
            row = connection.execute(select(sources).where(sources.c.id == source)).one_or_none()
            if row is None:
                raise InvalidInput.of("source", "there is no such source")
            if row.state != SourceState.ACTIVE.value:
                raise Conflict(f"the source is {row.state}: resume it before it is run")
            token = row.run_token + 1
            connection.execute(update(sources).where(sources.c.id == source).values(run_token=token))
            known = connection.scalar(select(source_runs.c.id).where(source_runs.c.id == run_id))
            values = {"token": token, "spec_version": row.spec_version, "phase": "listing"}
            values |= dict.fromkeys(("listed_at", "finished_at", "outcome", "problem"))
            values["pushes"] = pushes_of(connection, source)
            if known is None:
                connection.execute(insert(source_runs).values(id=run_id, source=source, started_at=self._database.now(), **values))
            else:
                connection.execute(update(source_runs).where(source_runs.c.id == run_id).values(**values))
        return SourceRun(run_id, source, token, row.spec_version)

    def resume(self, source: str, run_id: str) -> SourceRun:
        with self._database.read() as connection:
            row = connection.execute(select(source_runs).where(source_runs.c.id == run_id, source_runs.c.source == source)).one_or_none()
        if row is None:
            raise InvalidInput.of("run", "this run has not been started: run the whole chain from source_listing")
        return SourceRun(run_id, source, row.token, row.spec_version)

    def progress(self, run: SourceRun, phase: str, *, done: int = 0, total: int | None = None) -> None:
        with self._database.write() as connection:
            fence(connection, run)
            connection.execute(update(source_runs).where(source_runs.c.id == run.id).values(phase=phase, done=done, total=total))

    def finish(self, run: SourceRun, *, outcome: str, problem: str | None = None, counts: Mapping[str, int] | None = None) -> None:
        with self._database.write() as connection:
            now = self._database.now()
            ended = {
                "finished_at": now,
                "outcome": outcome,
                "problem": problem,
                "phase": "finished",
                "counts": json.dumps(dict(counts or {})),
            }
            connection.execute(update(source_runs).where(source_runs.c.id == run.id).values(**ended))
            if outcome == SUCCEEDED:
                fence(connection, run)
                succeeded = {"last_success_at": now, "last_success_spec_version": run.spec_version}
                connection.execute(update(sources).where(sources.c.id == run.source).values(**succeeded))
            settle(connection, run, outcome, self._pace, self._database.clock.now())

    def runs(self, source: str | None = None, *, limit: int = 20) -> list[RunProgress]:
        query = select(source_runs).order_by(source_runs.c.started_at.desc(), source_runs.c.id).limit(limit)
        if source is not None:
            query = query.where(source_runs.c.source == source)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            RunProgress(r.id, r.source, r.phase, r.done, r.total, r.started_at, r.finished_at, r.outcome, r.problem, json.loads(r.counts))
            for r in rows
        ]


def fence(connection: Connection, run: SourceRun) -> None:
    """Lock the source's row for this transaction and make sure that the run is still its newest.

    Raises:
        Fenced: a newer run has started, or the source is gone; the transaction must be abandoned.
    """
    held = update(sources).where(sources.c.id == run.source, sources.c.run_token == run.token).values(run_token=run.token)
    if connection.execute(held).rowcount != 1:
        raise Fenced("a newer run works on this source; this one stops")
