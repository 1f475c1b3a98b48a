"""`python -m pipelines.register` and `python -m pipelines.sync`, called as their main functions, and Dagster's home."""

import json
import re
from pathlib import Path

import dagster as dg
import pytest
import yaml

from pipelines import register, sync
from pipelines.home import dagster_environment, dagster_instance, prepare_dagster_home
from pipelines.processes import PROCESS_TAG
from retrieval.bootstrap import open_catalog
from retrieval.domain.sources import SourceState
from retrieval.settings import Settings
from tests.pipelines.dagster.conftest import Plant

HANDBOOK = {
    "id": "handbook",
    "kind": "files",
    "title": "The handbook",
    "owner": "user:dana",
    "location": {"root": "documents"},
    "rules": [{"glob": "**", "allow": ["everyone"]}],
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ARCHIVIST_DATA_DIRECTORY", str(tmp_path / "archivist"))
    return Settings()


def _file(folder: Path, content: object) -> str:
    path = folder / "source.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


def test_a_source_is_registered_from_a_file_with_its_root_beside_it(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "travel.md").write_text("# Travel\n")

    code = register.main([_file(tmp_path, HANDBOOK), "--json", "--by", "user:dana"])

    assert code == 0
    [shown] = json.loads(capsys.readouterr().out)
    assert shown == {"id": "handbook", "version": 1, "documents": 1, "has_more": False, "without_permission": 0, "formats": {".md": 1}}
    catalog = open_catalog(settings)
    registered = catalog.sources.get("handbook")
    catalog.close()
    assert registered.spec.location["root"] == str(tmp_path / "documents")
    assert registered.registered_by == "user:dana"


def test_checking_registers_nothing(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()

    code = register.main([_file(tmp_path, HANDBOOK), "--check"])

    assert code == 0
    assert not settings.data_directory.exists()


def test_every_wrong_field_of_every_source_has_its_line_and_nothing_is_registered(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "documents").mkdir()
    wrong = {
        "id": "Hand Book",
        "kind": "files",
        "owner": "s3cret",
        "location": {"rot": "documents"},
        "schedule": "s3cret",
        "colour": "s3cret",
        "rules": [{"glob": "**", "allow": ["s3cret", "group:a"]}, {"glob": "/s3cret"}, "s3cret", {"glob": "", "deny": "s3cret"}],
    }

    code = register.main([_file(tmp_path, [HANDBOOK, wrong])])

    assert code == 1
    lines = capsys.readouterr().err.splitlines()
    fields = {re.match(r".*source\.yaml\[2\]: ([^ ]+): ", line)[1] for line in lines}
    assert fields == {
        "id",
        "title",
        "owner",
        "location.rot",
        "location.root",
        "schedule",
        "colour",
        "rules[1].allow",
        "rules[2].glob",
        "rules[3]",
        "rules[4].deny",
        "rules[4].glob",
    }
    assert len(lines) == len(fields)
    assert "s3cret" not in "".join(lines)
    assert not settings.data_directory.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("a: [", "is not YAML, see line 1", id="not-yaml"),
        pytest.param("just words", "a source is a mapping", id="no-mapping"),
        pytest.param({**HANDBOOK, "location": {"root": "nowhere"}}, "cannot be reached", id="no-such-folder"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: object, said: str
) -> None:
    code = register.main([_file(tmp_path, content)])

    assert code == 1
    assert said in capsys.readouterr().err
    assert not settings.data_directory.exists()


def test_a_source_is_brought_up_to_date_and_the_run_shows_in_dagster(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    plant.write("travel.md", "# Travel\n\nBy train.\n")
    plant.register()

    code = sync.main(["handbook", "--json"], workbench=plant.workbench)

    assert code == 0
    [run] = json.loads(capsys.readouterr().out)
    assert (run["outcome"], run["counts"]["published"]) == ("succeeded", 1)
    with dagster_instance(plant.settings) as instance:
        [recorded] = instance.get_runs()
        assert (recorded.run_id, recorded.status) == (run["id"], dg.DagsterRunStatus.SUCCESS)
        assert instance.get_latest_materialization_event(dg.AssetKey("publication")) is not None


def test_a_sync_that_fails_says_so(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    plant.register()
    plant.root.rmdir()

    code = sync.main(["handbook"], workbench=plant.workbench)

    assert code == 1
    assert "handbook: failed: " in capsys.readouterr().out


@pytest.mark.parametrize(("source", "said"), [("nowhere", "there is no such source"), ("handbook", "paused")])
def test_only_active_sources_are_synced(plant: Plant, capsys: pytest.CaptureFixture[str], source: str, said: str) -> None:
    plant.register()
    plant.catalog.sources.set_state("handbook", SourceState.PAUSED, by="user:dana")

    code = sync.main([source], workbench=plant.workbench)

    assert code == 1
    assert said in capsys.readouterr().err


def test_the_home_holds_the_settings_of_this_version(settings: Settings) -> None:
    home = prepare_dagster_home(settings)
    (home / "dagster.yaml").write_text("telemetry: {enabled: true}\n")

    prepare_dagster_home(settings)

    written = yaml.safe_load((home / "dagster.yaml").read_text())
    assert written["telemetry"] == {"enabled": False}
    assert written["nux"] == {"enabled": False}
    assert [path.name for path in home.iterdir()] == ["dagster.yaml"]


def test_dagster_takes_these_settings(settings: Settings) -> None:
    with dagster_instance(settings) as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.run_retries_max_retries == 0
        concurrency = instance.get_concurrency_config().run_queue_config

    assert concurrency is not None
    assert concurrency.max_concurrent_runs == 2
    assert concurrency.tag_concurrency_limits == [{"key": "dagster/partition", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}]


def test_processes_of_dagster_know_its_home_and_our_settings(settings: Settings) -> None:
    environment = dagster_environment(settings)

    assert environment["DAGSTER_HOME"] == str(settings.dagster_home)
    assert environment["ARCHIVIST_DATA_DIRECTORY"] == str(settings.data_directory)


def test_a_run_names_its_process_so_that_its_death_is_noticed(plant: Plant) -> None:
    plant.register()

    result = plant.ingest()

    run = plant.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert PROCESS_TAG in run.tags
