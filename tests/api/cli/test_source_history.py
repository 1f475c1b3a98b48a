"""`archivist sources history`: who registered what, and when; `archivist sources apply` reaches the pipeline's program."""

import json
from dataclasses import replace
from pathlib import Path

from retrieval.bootstrap import open_catalog
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings
from tests.api.cli.conftest import Archivist

FIRST = SourceSpec("handbook", "files", "The handbook", "user:dana", {"root": "/srv/documents"})


def test_the_versions_of_a_registration_are_told_newest_first(archivist: Archivist, tmp_path: Path) -> None:
    catalog = open_catalog(Settings(data_directory=tmp_path))
    catalog.sources.register(FIRST, by="user:dana")
    catalog.sources.register(replace(FIRST, title="Another", location={"root": "/srv/other"}), by="user:ann")
    catalog.close()

    told = json.loads(archivist("sources", "history", "handbook", "--json").stdout)

    assert [(each["version"], each["registered_by"], each["changed"]) for each in told] == [
        (2, "user:ann", ["root", "title"]),
        (1, "user:dana", []),
    ]
    assert told[1]["source"]["title"] == "The handbook"
    shown = archivist("sources", "history", "handbook").stdout
    assert "root, title" in shown
    assert "registered" in shown
    assert archivist("sources", "history", "elsewhere").exit_code == 2


def test_a_folder_is_applied(archivist: Archivist, tmp_path: Path) -> None:
    """The program itself is tested beside the pipeline; here it is reached, with what was asked for."""
    folder = tmp_path / "sources"
    folder.mkdir()
    location = {"root": str(folder)}
    (folder / "a.yaml").write_text(json.dumps({"id": "first", "kind": "files", "title": "T", "owner": "user:dana", "location": location}))

    applied = archivist("sources", "apply", str(folder), "--manifest", "company", "--by", "user:dana")

    assert applied.exit_code == 0
    [version] = json.loads(archivist("sources", "history", "first", "--json").stdout)
    assert (version["registered_by"], version["source"]["manifest"]) == ("user:dana", "company")
