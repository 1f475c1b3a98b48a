"""One schedule for all sources: when each one is due is data, a cron line in its registration.

It looks after sources that wait for nothing else; the sensor looks after the others, those whose scheduled run failed or got lost too.
"""

from datetime import UTC, datetime

import dagster as dg
from croniter import croniter

from pipelines.assets.partitions import SOURCE_TAG, SOURCES_NAME
from pipelines.jobs.ingest_source import ingest_source
from pipelines.processes import busy_sources
from pipelines.resources import Workbench
from retrieval.domain.clock import unstamp
from retrieval.domain.sources import SourceState
from retrieval.ports.sources import RegisteredSource

MAX_RUNS_PER_TICK = 50


@dg.schedule(
    job=ingest_source,
    cron_schedule="*/5 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every five minutes: run the sources whose own schedule has come due since they last succeeded.",
)
def due_sources(context: dg.ScheduleEvaluationContext, workbench: dg.ResourceParam[Workbench]) -> dg.SkipReason | list[dg.RunRequest]:
    catalog, at = workbench.catalog, context.scheduled_execution_time
    free = set(context.instance.get_dynamic_partitions(SOURCES_NAME)) - busy_sources(context.instance)
    outlooks = {outlook.source: outlook for outlook in catalog.automation.outlooks() if outlook.source in free and outlook.why is None}
    found = ((source.spec.id, due(source, at)) for source in catalog.sources.list() if source.spec.id in outlooks)
    asked = [(id_, due_at) for id_, due_at in found if due_at is not None][:MAX_RUNS_PER_TICK]
    if not asked:
        return dg.SkipReason("no source is due")
    catalog.automation.asked([outlooks[id_] for id_, _ in asked])
    return [dg.RunRequest(run_key=f"{id_}@{at:%Y-%m-%dT%H:%M}", partition_key=id_, tags={SOURCE_TAG: id_}) for id_, at in asked]


def due(source: RegisteredSource, now: datetime) -> datetime | None:
    """The last time at which the source's schedule asked for a run, unless one has succeeded since. Missed times count once."""
    if source.state is not SourceState.ACTIVE or not source.spec.schedule or not croniter.is_valid(source.spec.schedule):
        return None
    just_after = now.astimezone(UTC).timestamp() + 1
    last: datetime = croniter(source.spec.schedule, datetime.fromtimestamp(just_after, UTC)).get_prev(datetime)
    since = unstamp(source.last_success_at or source.registered_at)
    return last if last > since else None
