"""archivist sources and archivist index, and the help of every command."""

import json
import shutil
from pathlib import Path

import pytest
from typer.main import get_command

from api.cli.failures import INVALID
from api.cli.main import app
from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.settings import Settings
from tests.api.cli.conftest import Archivist


def commands() -> list[tuple[str, ...]]:
    root = get_command(app)
    return [
        (),
        *[(name, *sub) for name, command in root.commands.items() for sub in [(), *[(s,) for s in getattr(command, "commands", {})]]],
    ]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_explains_itself(archivist: Archivist, command: tuple[str, ...]):
    help_ = archivist(*command, "--help")

    assert help_.exit_code == 0
    assert "Usage:" in help_.stdout
    assert len(help_.stdout) > 200


def test_the_commands_are_those_that_were_promised():
    assert {" ".join(command) for command in commands()} >= {
        *("serve", "ask", "retrieve", "keys create", "keys list", "keys revoke", "index status", "index rebuild"),
        *("sources register", "sources list", "sources sync", "sources status"),
    }


def test_sources_are_listed_with_their_state(archivist: Archivist, published: Path, tmp_path: Path):
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)

    listed = json.loads(archivist("sources", "list", "--json").stdout)

    assert [(source["id"], source["kind"], source["state"], source["version"]) for source in listed] == [("handbook", "files", "active", 1)]
    assert "handbook" in archivist("sources", "list").stdout


def test_the_status_counts_documents_and_tells_of_the_last_run(archivist: Archivist, published: Path, tmp_path: Path):
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)

    (status,) = json.loads(archivist("sources", "status", "--json").stdout)

    assert (status["documents"], status["readable"], status["nobody_reads"], status["quarantined"], status["passages"]) == (3, 3, 0, 0, 6)
    assert status["last_run"]["outcome"] == "succeeded"
    assert "succeeded" in archivist("sources", "status", "handbook").stdout


def test_without_sources_the_next_step_is_named(archivist: Archivist):
    assert "archivist sources register" in archivist("sources", "list").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("sources", "status", "elsewhere"), id="an unknown source"),
        pytest.param(("sources", "sync"), id="sync of nothing"),
        pytest.param(("sources", "sync", "handbook", "--all"), id="sync of one and all"),
        pytest.param(("sources", "sync", "--all"), id="sync of all of none"),
        pytest.param(("sources", "register", "no-such-file.yaml"), id="a file that is not there"),
        pytest.param(("index", "rebuild"), id="rebuild without an index"),
    ],
)
def test_wrong_input_ends_with_exit_code_two(archivist: Archivist, arguments: tuple[str, ...]):
    refused = archivist(*arguments)

    assert refused.exit_code == INVALID
    assert "Traceback" not in refused.output


def test_the_index_shows_who_follows_and_takes_the_request_to_rebuild(archivist: Archivist, published: Path, tmp_path: Path):
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    catalog = open_catalog(Settings(data_directory=tmp_path))
    catalog.index_state.report("edge", applied_revision=0, generation=2, passages=6, state="ready")

    status = json.loads(archivist("index", "status", "--json").stdout)
    asked = json.loads(archivist("index", "rebuild", "--json").stdout)

    (follower,) = status["followers"]
    assert (follower["name"], follower["alive"], follower["generation"], follower["passages"]) == ("edge", True, 2, 6)
    assert follower["behind"] == status["catalog_revision"] > 0
    assert asked == {"asked": 1}
    assert catalog.index_state.report("edge", applied_revision=0, generation=2, passages=6, state="ready")
    catalog.close()


def test_the_catalog_being_newer_is_one_line(archivist: Archivist, published: Path, tmp_path: Path):
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    catalog = open_catalog(Settings(data_directory=tmp_path))
    with catalog.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from_the_future'")
    catalog.close()

    refused = archivist("keys", "list")

    assert refused.exit_code == 1
    assert refused.stderr.startswith("archivist: ")
    assert "upgrade Archivist" in refused.stderr
