"""The organisation's CSV files of people and groups, read again by Dagster."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from tests.pipelines.dagster.conftest import Plant

PEOPLE = "id,name,groups\nann,Ann,board\nbob,Bob,staff\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "people"
    made.mkdir()
    (made / "people.csv").write_text(PEOPLE)
    return made


def launch(plant: Plant) -> dg.ExecuteInProcessResult:
    return plant.definitions.resolve_job_def("import_directory").execute_in_process(instance=plant.instance, raise_on_error=False)


def tick(plant: Plant) -> dg.RunRequest | dg.SkipReason:
    schedule = plant.definitions.resolve_schedule_def("directory_files_read")
    now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    context = dg.build_schedule_context(instance=plant.instance, scheduled_execution_time=now, resources={"workbench": plant.workbench})
    [found] = schedule.evaluate_tick(context).run_requests or [dg.SkipReason()]
    return found


def test_the_files_of_a_folder_are_read_and_read_again(make_plant: Callable[..., Plant], folder: Path):
    plant = make_plant(directory_csv=str(folder), directory_csv_delete_missing=True)
    (folder / "groups.csv").write_text("id,members\nboard,cyd\n")

    first = launch(plant)
    (folder / "people.csv").write_text("id,groups\nbob,staff\n")
    second = launch(plant)

    assert (first.success, second.success) == (True, True)
    assert not plant.catalog.directory.is_active("user:ann")
    assert plant.catalog.directory.is_active("user:bob")
    assert plant.catalog.directory.groups("user:cyd") == {"group:board"}
    assert plant.catalog.directory.groups("user:ann") == frozenset()


def test_who_read_the_files_is_in_the_audit_log(make_plant: Callable[..., Plant], folder: Path):
    plant = make_plant(directory_csv=str(folder / "people.csv"))

    launch(plant)

    with plant.catalog.database.read() as connection:
        actors = set(connection.exec_driver_sql("SELECT actor FROM audit").scalars())
    assert actors == {"app:dagster"}


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda folder: (folder / "people.csv").write_text("id,groups\nann,a b\n"), id="a wrong cell"),
        pytest.param(lambda folder: (folder / "people.csv").unlink(), id="no file"),
    ],
)
def test_files_with_anything_wrong_fail_the_run_and_change_nothing(
    make_plant: Callable[..., Plant], folder: Path, break_it: Callable[[Path], object]
):
    plant = make_plant(directory_csv=str(folder), directory_csv_delete_missing=True)
    launch(plant)
    break_it(folder)

    failed = launch(plant)

    assert not failed.success
    assert "The directory is as it was" in json.dumps([str(event) for event in failed.all_events])
    assert plant.catalog.directory.groups("user:ann") == {"group:board"}


def test_the_schedule_runs_only_where_the_settings_name_files(make_plant: Callable[..., Plant], folder: Path):
    assert isinstance(tick(make_plant()), dg.SkipReason)
    assert isinstance(tick(make_plant(directory_csv=str(folder))), dg.RunRequest)
