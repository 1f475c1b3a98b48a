"""`python -m pipelines.apply DIR`: sources kept as YAML files in git."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import apply
from retrieval.domain.sources import SourceState
from tests.pipelines.dagster.conftest import Plant, workbench_with


@pytest.fixture
def folder(plant: Plant, tmp_path: Path) -> Path:
    plant.write("travel.md", "# Travel\n\nBy train.\n")
    folder = tmp_path / "sources"
    (folder / "hr").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git" / "not.yaml").write_text("not: a source")
    return folder


def _write(folder: Path, name: str, *ids: str, **fields: Any) -> None:
    def source(id_: str) -> dict[str, Any]:
        allow = [{"glob": "**", "allow": ["everyone"]}]
        good = {"id": id_, "kind": "files", "title": id_, "owner": "user:dana", "location": {"root": "../documents"}, "rules": allow}
        return good | fields

    (folder / name).write_text(yaml.safe_dump([source(id_) for id_ in ids] if len(ids) > 1 else source(ids[0])))


def _apply(plant: Plant, folder: Path, *options: str) -> int:
    return apply.main([str(folder), *options], workbench=workbench_with(plant.settings, plant.embedder))


def test_a_folder_is_brought_in_again_and_again(plant: Plant, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(folder, "a.yaml", "first")
    _write(folder / "hr", "more.yml", "second", "third", location={"root": "../../documents"})

    assert _apply(plant, folder, "--by", "user:dana") == 0
    assert capsys.readouterr().out.splitlines() == ["first: created", "second: created", "third: created"]
    assert plant.catalog.sources.get("first").registered_by == "user:dana"
    assert plant.catalog.sources.get("third").spec.location["root"] == str(plant.root)

    _write(folder, "a.yaml", "first", title="Another", answers={"risk_tier": "high"})
    assert _apply(plant, folder) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["first: changed to version 2: risk_tier, title", "second: unchanged, as version 1"]


def test_one_wrong_file_stops_all_of_them_and_everything_wrong_is_said(
    plant: Plant, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant.register()
    plant.catalog.publishing.retire("handbook", by="user:dana")
    _write(folder, "a.yaml", "first", title="", schedule="s3cret")
    _write(folder, "b.yaml", "second")
    _write(folder / "hr", "c.yaml", "second", location={"root": "../../documents"})
    (folder / "d.yaml").write_text("a: [")

    assert _apply(plant, folder) == 1
    said = capsys.readouterr().err
    for wrong in ("a.yaml: title:", "a.yaml: schedule:", "c.yaml: id: stands in", "d.yaml: is not YAML"):
        assert wrong in said
    assert "s3cret" not in said
    assert [source.spec.id for source in plant.catalog.sources.list()] == ["handbook"]

    for file in ("a.yaml", "d.yaml", "hr/c.yaml"):
        (folder / file).unlink()
    _write(folder, "z.yaml", "handbook")
    assert _apply(plant, folder) == 1
    assert "handbook: this source is retired" in capsys.readouterr().err
    assert [source.spec.id for source in plant.catalog.sources.list()] == ["handbook"]


def test_a_dry_run_shows_what_the_launchpad_shows_and_changes_nothing(
    plant: Plant, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(folder, "a.yaml", "first", rules=[])

    assert _apply(plant, folder, "--dry-run") == 0
    said = capsys.readouterr().out
    assert said.startswith("first: would be created\n  documents: 1\n  nobody could read: 1 of 1 have no readable group or person\n")
    assert "  formats: md 1\n  nobody reads: travel.md: " in said
    assert not plant.catalog.sources.list()
    assert _apply(plant, folder, "--dry-run", "--json") == 0
    [shown] = json.loads(capsys.readouterr().out)
    assert (shown["id"], shown["outcome"], shown["report"]["listed"]) == ("first", "created", 1)


def test_what_is_gone_from_the_folder_is_retired_only_when_that_is_asked_for(
    plant: Plant, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant.register(id_="by-hand")
    _write(folder, "a.yaml", "first")
    _write(folder, "b.yaml", "second")
    assert _apply(plant, folder, "--manifest", "company") == 0
    (folder / "b.yaml").unlink()
    capsys.readouterr()

    assert _apply(plant, folder, "--prune") == 1
    assert "--manifest" in capsys.readouterr().err
    assert _apply(plant, folder, "--manifest", "company") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "second: gone from the folder, and registered still"
    assert _apply(plant, folder, "--manifest", "company", "--prune", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "second: would be retired"
    assert _apply(plant, folder, "--manifest", "another", "--prune", "--dry-run") == 0
    assert "second" not in capsys.readouterr().out
    assert _states(plant) == {"by-hand": "active", "first": "active", "second": "active"}

    assert _apply(plant, folder, "--manifest", "company", "--prune", "--by", "user:dana") == 0
    assert _states(plant) == {"by-hand": "active", "first": "active", "second": SourceState.RETIRED}


def test_a_folder_without_files_is_a_mistake(plant: Plant, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _apply(plant, folder) == 1
    assert "holds no YAML file" in capsys.readouterr().err


def _states(plant: Plant) -> dict[str, str]:
    return {source.spec.id: source.state for source in plant.catalog.sources.list()}
