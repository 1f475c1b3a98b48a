"""The sensor that makes Dagster follow the registry of sources, however a source got there, and what applications push."""

from collections.abc import Iterable

import dagster as dg

from pipelines.assets.partitions import SOURCE_TAG, SOURCES, SOURCES_NAME
from pipelines.jobs.ingest_source import ingest_source
from pipelines.processes import busy_sources, end_dead_runs
from pipelines.resources import Workbench
from retrieval.domain.automation import SourceOutlook

WHY_TAG = "archivist/why"
MAX_RUNS_PER_TICK = 50
INTERVAL_SECONDS = 5


@dg.sensor(
    job=ingest_source,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Opens and closes partitions as sources are registered and retired. Runs sources that are registered newly or anew, to "
    "which something was pushed, and those whose last run did not succeed, after a pause that grows. What it knows is in the catalog: "
    "resetting its cursor changes nothing.",
)
def source_registry(context: dg.SensorEvaluationContext, workbench: dg.ResourceParam[Workbench]) -> dg.SensorResult:
    for run in end_dead_runs(context.instance):
        context.log.warning("run %s had no process any more: marked as failed", run)
    automation, now = workbench.catalog.automation, workbench.catalog.database.now()
    outlooks = automation.outlooks()
    busy = busy_sources(context.instance)
    due = [outlook for outlook in outlooks if outlook.source not in busy and outlook.is_due(now)][:MAX_RUNS_PER_TICK]
    if due:
        automation.asked(due)
    return dg.SensorResult(
        run_requests=[_request(outlook, now) for outlook in due],
        dynamic_partitions_requests=_partition_changes(context.instance, {outlook.source for outlook in outlooks}),
    )


def _request(outlook: SourceOutlook, now: str) -> dg.RunRequest:
    """Under a key of its own: Dagster never runs a key twice, and a source is run as often as there is something to do."""
    return dg.RunRequest(
        run_key=f"{outlook.source}@{now}",
        partition_key=outlook.source,
        tags={SOURCE_TAG: outlook.source, WHY_TAG: str(outlook.why)},
    )


def _partition_changes(
    instance: dg.DagsterInstance, wanted: Iterable[str]
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    there, wanted = set(instance.get_dynamic_partitions(SOURCES_NAME)), set(wanted)
    missing, orphaned = sorted(wanted - there), sorted(there - wanted)
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if missing:
        changes.append(SOURCES.build_add_request(missing))
    if orphaned:
        changes.append(SOURCES.build_delete_request(orphaned))
    return changes
