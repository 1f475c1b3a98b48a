"""The sensor that follows the registry, the schedule that serves all sources, and runs whose process was killed."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from pipelines.definitions import definitions
from pipelines.home import dagster_instance
from pipelines.jobs.ingest_source import ingest_source
from pipelines.processes import end_dead_runs, is_dead, process_name, worked_on_by
from pipelines.schedules import due, due_sources
from pipelines.sensors import MAX_RUNS_PER_TICK, source_registry
from retrieval.domain.clock import stamp
from retrieval.domain.sources import SourceSpec, SourceState
from retrieval.ports.sources import RegisteredSource
from tests.pipelines.dagster.conftest import Plant


def _tick(plant: Plant, cursor: str | None = None) -> dg.SensorResult:
    """One look of the sensor; the partitions it asks for are made, as the daemon makes them."""
    context = dg.build_sensor_context(
        plant.instance, cursor, definitions=plant.definitions, resources={"workbench": plant.workbench}, sensor_name="source_registry"
    )
    result = source_registry(context)
    assert isinstance(result, dg.SensorResult)
    for request in result.dynamic_partitions_requests or ():
        if isinstance(request, dg.AddDynamicPartitionsRequest):
            plant.instance.add_dynamic_partitions("sources", list(request.partition_keys))
        else:
            for key in request.partition_keys:
                plant.instance.delete_dynamic_partition("sources", key)
    return result


def _keys(result: dg.SensorResult) -> list[str | None]:
    return [request.run_key for request in result.run_requests or ()]


def test_the_definitions_can_be_loaded() -> None:
    dg.Definitions.validate_loadable(definitions)


def test_loading_the_definitions_loads_no_model_and_no_parser() -> None:
    code = "import sys, pipelines.definitions; print([name for name in ('torch', 'unstructured', 'transformers') if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_new_source_gets_a_partition_and_one_run(plant: Plant) -> None:
    plant.register()

    first = _tick(plant)
    second = _tick(plant, first.cursor)

    assert _keys(first) == ["handbook@v1"]
    assert plant.instance.get_dynamic_partitions("sources") == ["handbook"]
    assert _keys(second) == []


def test_a_changed_registration_is_run_again_and_the_same_one_is_not(plant: Plant) -> None:
    plant.register()
    cursor = _tick(plant).cursor
    plant.register()
    unchanged = _tick(plant, cursor)
    plant.register(schedule="0 3 * * *")

    changed = _tick(plant, unchanged.cursor)

    assert _keys(unchanged) == []
    assert _keys(changed) == ["handbook@v2"]


def test_a_version_that_somebody_ran_already_is_not_run_by_the_sensor(plant: Plant) -> None:
    plant.register()
    plant.ingest()

    result = _tick(plant)

    assert _keys(result) == []


def test_a_source_that_is_worked_on_is_left_alone(plant: Plant) -> None:
    plant.register()
    plant.instance.add_dynamic_partitions("sources", ["handbook"])
    _begin_run(plant, os.getpid())

    result = _tick(plant)

    assert _keys(result) == []
    assert json.loads(result.cursor or "") == {}


def test_paused_sources_keep_their_partition_and_are_not_run(plant: Plant) -> None:
    plant.register()
    plant.catalog.sources.set_state("handbook", SourceState.PAUSED, by="user:dana")

    result = _tick(plant)

    assert _keys(result) == []
    assert plant.instance.get_dynamic_partitions("sources") == ["handbook"]


def test_a_partition_without_a_source_is_removed(plant: Plant) -> None:
    plant.register()
    plant.catalog.publishing.retire("handbook", by="user:dana")
    plant.instance.add_dynamic_partitions("sources", ["handbook", "typed-by-hand"])

    _tick(plant)

    assert plant.instance.get_dynamic_partitions("sources") == []


def test_many_new_sources_are_run_a_portion_at_a_time(plant: Plant) -> None:
    for number in range(MAX_RUNS_PER_TICK + 3):
        plant.register(id_=f"source-{number:03}")

    first = _tick(plant)
    second = _tick(plant, first.cursor)

    assert len(_keys(first)) == MAX_RUNS_PER_TICK
    assert len(_keys(second)) == 3
    assert not set(_keys(first)) & set(_keys(second))


NIGHT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


def _registered(schedule: str, *, succeeded: datetime | None, state: SourceState = SourceState.ACTIVE) -> RegisteredSource:
    spec = SourceSpec("handbook", "files", "The handbook", "user:dana", schedule=schedule)
    at = stamp(NIGHT - timedelta(days=7))
    return RegisteredSource(spec, 1, state, at, "user:dana", stamp(succeeded) if succeeded else None, 1)


@pytest.mark.parametrize(
    ("source", "now", "expected"),
    [
        pytest.param(_registered("0 3 * * *", succeeded=NIGHT - timedelta(hours=24)), NIGHT, NIGHT, id="on-the-minute"),
        pytest.param(_registered("0 3 * * *", succeeded=NIGHT - timedelta(hours=24)), NIGHT + timedelta(hours=5), NIGHT, id="missed"),
        pytest.param(_registered("0 3 * * *", succeeded=NIGHT + timedelta(minutes=2)), NIGHT + timedelta(hours=5), None, id="done"),
        pytest.param(_registered("0 3 * * *", succeeded=NIGHT - timedelta(hours=24)), NIGHT - timedelta(minutes=5), None, id="not-yet"),
        pytest.param(_registered("0 3 * * *", succeeded=None), NIGHT, NIGHT, id="never-succeeded"),
        pytest.param(_registered("", succeeded=None), NIGHT, None, id="on-demand"),
        pytest.param(_registered("whenever", succeeded=None), NIGHT, None, id="not-cron"),
        pytest.param(_registered("0 3 * * *", succeeded=None, state=SourceState.PAUSED), NIGHT, None, id="paused"),
    ],
)
def test_a_source_is_due_once_for_each_time_of_its_schedule(source: RegisteredSource, now: datetime, expected: datetime | None) -> None:
    assert due(source, now) == expected


def test_the_one_schedule_runs_the_sources_that_are_due(plant: Plant) -> None:
    plant.register(id_="nightly", schedule="0 3 * * *")
    plant.register(id_="on-demand")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=3, minute=5)
    with dagster_instance(plant.settings) as instance:
        instance.add_dynamic_partitions("sources", ["nightly", "on-demand"])
        with dg.build_schedule_context(instance, tomorrow, resources={"workbench": plant.workbench}) as context:
            requests = due_sources(context)

    assert [request.partition_key for request in requests] == ["nightly"]
    assert requests[0].run_key == f"nightly@{tomorrow:%Y-%m-%d}T03:00"


def _begin_run(plant: Plant, pid: int, **tags: str) -> str:
    job = plant.definitions.resolve_job_def(ingest_source.name)
    run = plant.instance.create_run_for_job(job, tags={"dagster/partition": "handbook"})
    plant.instance.add_run_tags(run.run_id, worked_on_by(run.run_id, pid) | tags)
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job.name, message="started")
    plant.instance.report_dagster_event(event, run.run_id)
    return run.run_id


def test_a_run_whose_process_was_killed_is_marked_as_failed(plant: Plant) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        dead_run, live_run = _begin_run(plant, process.pid), _begin_run(plant, os.getpid())
        inherited = worked_on_by(dead_run, process.pid)
        repeated_run = _begin_run(plant, os.getpid(), **inherited)
        process.kill()

    ended = end_dead_runs(plant.instance)

    assert ended == [dead_run]
    assert plant.instance.get_run_by_id(dead_run).status is dg.DagsterRunStatus.FAILURE
    for run in (live_run, repeated_run):
        assert plant.instance.get_run_by_id(run).status is dg.DagsterRunStatus.STARTED


def test_nothing_is_said_of_processes_on_other_machines() -> None:
    assert not is_dead("another-machine/1/0")


def test_a_process_id_that_was_given_to_another_process_is_dead() -> None:
    host, pid, _started = process_name(os.getpid()).rsplit("/", 2)

    assert is_dead(f"{host}/{pid}/1")
