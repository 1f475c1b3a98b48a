"""The sensor that makes Dagster follow the registry of sources, however a source got there."""

import json
from collections.abc import Sequence

import dagster as dg

from pipelines.assets.partitions import SOURCE_TAG, SOURCES, SOURCES_NAME
from pipelines.jobs.ingest_source import ingest_source
from pipelines.processes import busy_sources, end_dead_runs
from pipelines.resources import Workbench
from retrieval.domain.sources import SourceState
from retrieval.ports.sources import RegisteredSource

MAX_RUNS_PER_TICK = 50
INTERVAL_SECONDS = 5


@dg.sensor(
    job=ingest_source,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Opens and closes partitions as sources are registered and retired, and runs what is registered newly or anew.",
)
def source_registry(context: dg.SensorEvaluationContext, workbench: dg.ResourceParam[Workbench]) -> dg.SensorResult:
    for run in end_dead_runs(context.instance):
        context.log.warning("run %s had no process any more: marked as failed", run)
    sources = workbench.catalog.sources.list()
    asked: dict[str, int] = json.loads(context.cursor or "{}")
    new = _not_run_yet(sources, asked, busy_sources(context.instance))[:MAX_RUNS_PER_TICK]
    asked = {source.spec.id: asked[source.spec.id] for source in sources if source.spec.id in asked}
    return dg.SensorResult(
        run_requests=[_request(source) for source in new],
        dynamic_partitions_requests=_partition_changes(context.instance, sources),
        cursor=json.dumps(asked | {source.spec.id: source.version for source in new}, sort_keys=True),
    )


def _not_run_yet(sources: Sequence[RegisteredSource], asked: dict[str, int], busy: frozenset[str]) -> list[RegisteredSource]:
    """Active sources whose registered version has neither succeeded nor been asked for. Whoever is at work on one is left alone."""
    return [
        source
        for source in sources
        if source.state is SourceState.ACTIVE
        and source.last_success_version != source.version
        and asked.get(source.spec.id) != source.version
        and source.spec.id not in busy
    ]


def _request(source: RegisteredSource) -> dg.RunRequest:
    id_ = source.spec.id
    return dg.RunRequest(run_key=f"{id_}@v{source.version}", partition_key=id_, tags={SOURCE_TAG: id_})


def _partition_changes(
    instance: dg.DagsterInstance, sources: Sequence[RegisteredSource]
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    there = set(instance.get_dynamic_partitions(SOURCES_NAME))
    wanted = {source.spec.id for source in sources if source.state is not SourceState.RETIRED}
    missing, orphaned = sorted(wanted - there), sorted(there - wanted)
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if missing:
        changes.append(SOURCES.build_add_request(missing))
    if orphaned:
        changes.append(SOURCES.build_delete_request(orphaned))
    return changes
