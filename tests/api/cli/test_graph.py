"""archivist graph: glossaries are applied and shown, and the graph is exported as somebody may see it."""

import json
import shutil
from pathlib import Path

import networkx as nx
import pytest

from api.cli.failures import INVALID
from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.settings import Settings
from tests.api.cli.conftest import Archivist
from tests.story import PUBLIC, Story, allow

GLOSSARY = "terms:\n- {name: travel desk, kind: team, aliases: [TD], definition: Books trains.}\n"
FILES = {
    "pump": ("the pump raises ERR-1042.", PUBLIC),
    "takeover": ("the takeover raises ERR-1042, also ERR-9999.", allow("group:board")),
}


@pytest.fixture
def glossary(published: Path, tmp_path: Path) -> Path:
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "glossary.yaml"
    file.write_text(GLOSSARY)
    return file


@pytest.fixture
def related(glossary: Path, tmp_path: Path) -> Path:
    catalog = open_catalog(Settings(data_directory=tmp_path))
    story = Story(catalog, runs=1)
    story.relate(story.sync(FILES))
    catalog.directory.set_groups("user:bea", ["group:board"])
    catalog.close()
    return tmp_path


def test_a_glossary_is_applied_once_and_shown(archivist: Archivist, glossary: Path):
    applied = [json.loads(archivist("graph", "glossary", "apply", "handbook", str(glossary), "--json").stdout) for _ in range(2)]

    assert applied == [{"source": "handbook", "terms": 1, "version": 1}] * 2
    shown = json.loads(archivist("graph", "glossary", "show", "handbook", "--json").stdout)
    assert shown == [{"name": "travel desk", "kind": "team", "aliases": ["TD"], "definition": "Books trains."}]
    assert "Books trains." in archivist("graph", "glossary", "show", "handbook").stdout


def test_a_glossary_with_a_mistake_is_not_applied(archivist: Archivist, glossary: Path):
    glossary.write_text(GLOSSARY.replace("team", "x" * 51))

    failed = archivist("graph", "glossary", "apply", "handbook", str(glossary))

    assert failed.exit_code == INVALID
    assert "terms[1].kind" in failed.stderr
    assert "50 characters" in failed.stderr
    assert archivist("graph", "glossary", "show", "handbook", "--json").stdout.strip() == "[]"


def test_checking_applies_nothing(archivist: Archivist, glossary: Path):
    checked = archivist("graph", "glossary", "apply", "handbook", str(glossary), "--check")

    assert (checked.exit_code, "1 terms are in order" in checked.stderr) == (0, True)
    assert archivist("graph", "glossary", "show", "handbook", "--json").stdout.strip() == "[]"


def test_a_glossary_of_an_unknown_source_is_refused(archivist: Archivist, glossary: Path):
    assert archivist("graph", "glossary", "apply", "nowhere", str(glossary)).exit_code == INVALID
    assert archivist("graph", "glossary", "show", "nowhere").exit_code == INVALID


@pytest.mark.permissions
def test_an_export_holds_what_its_principal_may_read(archivist: Archivist, related: Path):
    def names(who: str, format_: str) -> set[str]:
        file = related / f"graph.{format_}"
        done = archivist("graph", "export", "--as", who, "--format", format_, "--output", str(file), "--json")
        assert done.exit_code == 0, done.stderr
        read = nx.read_graphml(file) if format_ == "graphml" else nx.node_link_graph(json.loads(file.read_text()))
        assert "takeover" in file.read_text() or who != "user:bea"
        assert "ERR-9999" not in file.read_text() or who == "user:bea"
        return {name for _, name in read.nodes(data="name") if name}

    for format_ in ("graphml", "json"):
        assert {"ERR-1042", "pump"} <= names("user:ann", format_)
        assert names("user:bea", format_) - names("user:ann", format_) >= {"ERR-9999", "takeover"}
        assert names("app:intranet", format_) == names("user:ann", format_)


def test_an_export_is_recorded_with_the_documents_it_stands_on(archivist: Archivist, related: Path):
    archivist("graph", "export", "--as", "user:ann", "--output", str(related / "graph.json"), "--format", "json", "--source", "handbook")

    [record] = json.loads(archivist("audit", "show", "--action", "graph.exported", "--json").stdout)

    assert (record["actor"], record["act_for"], len(record["documents"])) == ("app:cli", "user:ann", 1)


@pytest.mark.parametrize("who", ["ann", "group:board", "everyone", "user:"])
def test_an_export_is_for_somebody_who_reads(archivist: Archivist, related: Path, who: str):
    assert archivist("graph", "export", "--as", who, "--output", str(related / "x")).exit_code == INVALID
    assert not (related / "x").exists()
