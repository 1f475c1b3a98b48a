"""The job that takes documents back, and who may launch what on whose source."""

import json
from collections.abc import Callable
from dataclasses import replace

import dagster as dg
import pytest
from dagster._core.errors import DagsterConfigMappingFunctionError

from pipelines.callers import FOR_ADMINS
from pipelines.who import ADMIN_TAG, DAEMON, GROUPS_TAG, PERSON_TAG
from retrieval.domain.ids import document_id
from retrieval.domain.sources import SourceState
from tests.pipelines.dagster.conftest import Plant

KEY = "travel.md"
TRAVEL = document_id("handbook", KEY)


@pytest.fixture
def filled(plant: Plant) -> Plant:
    plant.write(KEY, "# Travel\n\nAbroad for 30 days.\n")
    plant.write("leave.md", "# Leave\n\nLeave is 26 weeks.\n")
    plant.register()
    assert plant.ingest().success
    return plant


def recall(plant: Plant, *, tags: dict[str, str] | None = None, **form: object) -> dg.ExecuteInProcessResult:
    asked = {"kind": "document", "about": TRAVEL, "reason": "published by mistake"} | form
    job = plant.definitions.resolve_job_def("recall_document")
    return job.execute_in_process(asked, plant.instance, raise_on_error=False, tags=tags or {})


def shown(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    [event] = result.filter_events(lambda event: event.event_type is dg.DagsterEventType.STEP_OUTPUT)
    metadata = event.step_output_data.metadata
    table = next(value for value in metadata.values() if isinstance(value, dg.TableMetadataValue))
    return {str(row.data["what"]): row.data["how many"] for row in table.records}


def test_a_dry_run_shows_what_it_would_reach_and_what_is_recalled_stays_away_until_its_owner_changes_it(filled: Plant):
    assert shown(recall(filled))["documents that readers lose"] == 1
    assert set(filled.current()) == {KEY, "leave.md"}

    assert recall(filled, dry_run=False).success
    assert set(filled.current()) == {"leave.md"}

    assert filled.ingest().success
    assert set(filled.current()) == {"leave.md"}

    filled.write(KEY, "# Travel\n\nAbroad for 20 days.\n")
    assert filled.ingest().success
    assert set(filled.current()) == {KEY, "leave.md"}

    assert recall(filled, kind="source", about="handbook", dry_run=False).success
    assert filled.current() == {}
    assert filled.catalog.sources.get("handbook").state is SourceState.PAUSED


def test_a_wrong_form_is_refused_before_a_run_and_an_absent_document_by_one(plant: Plant):
    with pytest.raises(DagsterConfigMappingFunctionError) as refused:
        recall(plant, reason=" ")

    assert "reason" in str(refused.value.__cause__)
    assert plant.instance.get_runs_count() == 0
    assert not recall(plant, about="absent").success


@pytest.mark.permissions
def test_behind_a_proxy_a_source_is_changed_by_whoever_answers_for_it(make_plant: Callable[..., Plant]):
    plant = make_plant(dagster_people="proxy")
    plant.register()
    launched = {
        "the owner": {PERSON_TAG: "user:dana"},
        "another owner": {PERSON_TAG: "user:erin"},
        "an administrator": {PERSON_TAG: "user:erin", ADMIN_TAG: "yes"},
        "the daemon": {PERSON_TAG: DAEMON},
        "nobody": {},
    }

    allowed = {name for name, tags in launched.items() if recall(plant, kind="source", about="handbook", tags=tags).success}
    pausing = plant.definitions.resolve_job_def("pause_source")
    paused = {
        name
        for name, tags in launched.items()
        if pausing.execute_in_process({"source": "handbook"}, plant.instance, raise_on_error=False, tags=tags).success
    }

    assert allowed == paused == {"the owner", "an administrator"}


@pytest.mark.permissions
def test_a_group_answers_through_the_directory_and_through_the_proxy(make_plant: Callable[..., Plant]):
    plant = make_plant(dagster_people="proxy")
    plant.register()
    plant.catalog.sources.register(replace(plant.catalog.sources.get("handbook").spec, owner="group:travel"), by="user:dana")
    plant.catalog.directory.set_groups("user:erin", ["group:travel"])
    launched = [
        {PERSON_TAG: "user:erin"},
        {PERSON_TAG: "user:finn", GROUPS_TAG: json.dumps(["group:travel"])},
        {PERSON_TAG: "user:dana"},
    ]

    assert [recall(plant, kind="source", about="handbook", tags=tags).success for tags in launched] == [True, True, False]


def test_jobs_for_operators_are_for_administrators(plant: Plant):
    jobs = [plant.definitions.resolve_job_def(job.name) for job in plant.definitions.resolve_all_job_defs()]

    assert {job.name for job in jobs if job.tags.get("archivist/audience") == "operators"} == FOR_ADMINS
