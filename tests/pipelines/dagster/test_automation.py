"""The sensor that follows the registry, the schedule that serves all sources, and runs whose process was killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from pipelines.definitions import definitions
from pipelines.home import dagster_instance
from pipelines.jobs.ingest_source import ingest_source
from pipelines.processes import end_dead_runs, is_dead, process_name, worked_on_by
from pipelines.schedules import due, due_sources
from pipelines.sensors import MAX_RUNS_PER_TICK, source_registry
from retrieval.domain.automation import Why
from retrieval.domain.clock import stamp, unstamp
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.pushing import PushedDocument
from retrieval.domain.sources import SourceSpec, SourceState
from retrieval.ports.pushing import Change
from retrieval.ports.sources import RegisteredSource
from tests.pipelines.dagster.conftest import Plant


def _tick(plant: Plant) -> dg.SensorResult:
    """One look of the sensor; the partitions it asks for are made, as the daemon makes them."""
    context = dg.build_sensor_context(
        plant.instance, definitions=plant.definitions, resources={"workbench": plant.workbench}, sensor_name="source_registry"
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


def _sources(result: dg.SensorResult) -> list[str | None]:
    requests = result.run_requests or ()
    assert len({request.run_key for request in requests}) == len(requests)
    assert {type(value) for request in requests for value in request.tags.values()} <= {str}, "the daemon takes nothing else"
    return [request.partition_key for request in requests]


def _waited(plant: Plant) -> datetime:
    """Until the pauses of all sources are over."""
    ends = [unstamp(outlook.next_attempt_at) for outlook in plant.catalog.automation.outlooks() if outlook.next_attempt_at]
    while datetime.now(UTC) <= max(ends):
        time.sleep(0.05)
    return max(ends)


def _due(plant: Plant, at: datetime, *open_: str) -> list[str | None]:
    """What the schedule asks for."""
    with dagster_instance(plant.settings) as instance:
        instance.add_dynamic_partitions("sources", list(open_))
        with dg.build_schedule_context(instance, at, resources={"workbench": plant.workbench}) as context:
            requests = due_sources(context)
    return [request.partition_key for request in requests] if isinstance(requests, list) else []


def test_the_definitions_can_be_loaded() -> None:
    dg.Definitions.validate_loadable(definitions)


def test_loading_the_definitions_loads_no_model_and_no_parser() -> None:
    code = "import sys, pipelines.definitions; print([name for name in ('torch', 'unstructured', 'transformers') if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_new_source_gets_a_partition_and_one_run(plant: Plant) -> None:
    plant.register()

    first = _tick(plant)
    second = _tick(plant)

    assert _sources(first) == ["handbook"]
    assert plant.instance.get_dynamic_partitions("sources") == ["handbook"]
    assert _sources(second) == []


def test_a_changed_registration_is_run_again_at_once_and_the_same_one_is_not(plant: Plant) -> None:
    plant.register()
    _tick(plant)
    plant.register()
    unchanged = _tick(plant)
    plant.register(schedule="0 3 * * *")

    changed = _tick(plant)

    assert _sources(unchanged) == []
    assert _sources(changed) == ["handbook"]


def test_a_version_that_somebody_ran_already_is_not_run_by_the_sensor(plant: Plant) -> None:
    plant.register()
    plant.ingest()

    result = _tick(plant)

    assert _sources(result) == []


def test_a_source_that_is_worked_on_is_left_alone_and_remembered(plant: Plant) -> None:
    plant.register()
    plant.instance.add_dynamic_partitions("sources", ["handbook"])
    run = _begin_run(plant, os.getpid())

    result = _tick(plant)
    plant.instance.report_run_canceled(plant.instance.get_run_by_id(run))

    assert _sources(result) == []
    assert _sources(_tick(plant)) == ["handbook"]


def test_a_source_that_failed_is_run_again_after_a_pause_that_grows_whoever_looks(make_plant: Callable[..., Plant]) -> None:
    plant = make_plant(source_run_retry_seconds=1, source_run_retry_longest_seconds=3600, source_attempts=1)
    plant.register()
    plant.root.rmdir()
    _tick(plant)
    plant.ingest()
    waiting = _tick(plant)
    due = _waited(plant)
    plant.workbench.close()

    again = _tick(make_plant(source_run_retry_seconds=1))

    assert plant.last_run().outcome == "failed"
    assert _sources(waiting) == []
    assert _sources(again) == ["handbook"]
    [outlook] = plant.catalog.automation.outlooks()
    assert (outlook.attempts, outlook.why) == (2, Why.REGISTERED)
    assert unstamp(outlook.next_attempt_at) - due >= timedelta(seconds=2)


def test_a_success_forgets_the_failures(make_plant: Callable[..., Plant]) -> None:
    plant = make_plant(source_run_retry_seconds=1, source_attempts=1)
    plant.write("a.txt", "All is well.")
    plant.register()
    plant.ingest()
    plant.root.rename(plant.root.with_name("elsewhere"))
    plant.ingest()
    [failed] = plant.catalog.automation.outlooks()
    plant.root.with_name("elsewhere").rename(plant.root)

    plant.ingest()

    [outlook] = plant.catalog.automation.outlooks()
    assert (failed.why, failed.attempts) == (Why.UNFINISHED, 1)
    assert (outlook.why, outlook.attempts, outlook.next_attempt_at) == (None, 0, None)


def test_a_run_that_was_asked_for_and_never_began_is_asked_for_again(make_plant: Callable[..., Plant]) -> None:
    plant = make_plant(source_run_retry_seconds=1)
    plant.register(id_="nightly", schedule="0 3 * * *")
    plant.ingest("nightly")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=3, minute=5)
    asked, once_more = _due(plant, tomorrow, "nightly"), _due(plant, tomorrow, "nightly")
    _waited(plant)

    assert asked == ["nightly"]
    assert once_more == []
    assert _sources(_tick(plant)) == ["nightly"]


def test_many_pushes_are_one_run_and_nothing_pushed_is_none(plant: Plant) -> None:
    plant.catalog.sources.register(SourceSpec("offers", "push", "Offers", "user:dana"), by="user:dana")
    plant.ingest("offers")
    quiet = _tick(plant)
    for number in range(5):
        push(plant, f"{number}.txt", f"Offer {number}. It holds.")

    asked, after = _tick(plant), _tick(plant)
    plant.ingest("offers")

    assert [_sources(result) for result in (quiet, asked, after, _tick(plant))] == [[], ["offers"], [], []]
    assert len(plant.current("offers")) == 5


def push(plant: Plant, key: str, text: str, **said: Any) -> None:
    blobs = plant.workbench.ingestion.blobs
    document = PushedDocument(key, blobs.put(text.encode()), len(text), "https://crm.example.com", AccessPolicy.of(["everyone"]), **said)
    plant.catalog.pushed.put("offers", document, Change("app:crm"), max_documents=100)


def test_paused_sources_keep_their_partition_and_are_not_run(plant: Plant) -> None:
    plant.register()
    plant.catalog.sources.set_state("handbook", SourceState.PAUSED, by="user:dana")

    result = _tick(plant)

    assert _sources(result) == []
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

    first, second = _sources(_tick(plant)), _sources(_tick(plant))

    assert len(first) == MAX_RUNS_PER_TICK
    assert len(second) == 3
    assert not set(first) & set(second)


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
    for source in ("nightly", "on-demand"):
        plant.ingest(source)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=3, minute=5)

    assert _due(plant, tomorrow, "nightly", "on-demand") == ["nightly"]


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
