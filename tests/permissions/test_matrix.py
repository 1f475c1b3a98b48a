"""matrix.yaml, asked of the oracle and of the HTTP API, on every combination of catalog and index."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.permissions import oracle
from tests.permissions.askings import CLASSIFICATIONS
from tests.permissions.backends import BACKENDS, Backend
from tests.permissions.oracle import Asking, Folder, Paper, Person, State
from tests.permissions.plant import Plant, planted
from tests.permissions.requests import ABSENT, Request
from tests.permissions.worlds import own_word

pytestmark = pytest.mark.permissions

MATRIX: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "matrix.yaml").read_text(encoding="utf-8"))
_RANKS = {each.value: each.sensitivity for each in CLASSIFICATIONS}


def _state() -> State:
    folders = {name: Folder(_RANKS[spec["classification"]], spec.get("region", "")) for name, spec in MATRIX["sources"].items()}
    people = {
        subject: Person(
            spec.get("active", True),
            _RANKS[spec["clearance"]] if "clearance" in spec else None,
            frozenset(spec["regions"]) if "regions" in spec else None,
        )
        for subject, spec in MATRIX["people"].items()
    }
    papers = {name: _paper(number, name, spec) for number, (name, spec) in enumerate(MATRIX["documents"].items(), 1)}
    return State(folders, papers, people, {member: frozenset(groups) for member, groups in MATRIX["groups"].items()})


def _paper(number: int, name: str, spec: dict[str, Any]) -> Paper:
    words = {kind: f"z{kind}{number:012x}" for kind in "tpab"}
    body = f"The report about travel {words['b']}."
    return Paper(name, spec["source"], frozenset(spec["allow"]), frozenset(spec.get("deny", [])), words["t"], words["p"], words["a"], body)


STATE = _state()


def _asking(who: dict[str, Any]) -> Asking:
    return Asking(who.get("user"), who.get("application"), only_folders=frozenset(who["only"]) if "only" in who else None)


@pytest.fixture(scope="module", params=[pytest.param(backend, id=str(backend), marks=backend.marks) for backend in BACKENDS])
def plant(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    backend: Backend = request.param
    with backend.options(request) as options, planted(tmp_path_factory.mktemp("matrix"), STATE, **options) as made:
        yield made


expectations = pytest.mark.parametrize("expected", [pytest.param(each, id=each["why"]) for each in MATRIX["expect"]])


@expectations
def test_the_oracle_reads_the_matrix_as_it_is_meant(expected: dict[str, Any]):
    asking = _asking(expected["who"])

    assert {name: oracle.may_read(STATE, asking, name) for name in expected["check"]} == expected["check"]
    assert oracle.readable(STATE, asking) == set(expected["list"])


@expectations
def test_each_document_opens_to_those_who_may_read_it(plant: Plant, expected: dict[str, Any]):
    asking = _asking(expected["who"])

    for name, readable in {**dict.fromkeys(STATE.papers, False), **dict.fromkeys(expected["list"], True), **expected["check"]}.items():
        paper = STATE.papers.get(name)
        response = Request("GET", f"/documents/{plant.document_id(paper) if paper else ABSENT}").send(plant, asking)
        assert response.status_code in ({200} if readable else {404, 401}), name


@expectations
def test_a_search_finds_all_that_may_be_read_and_nothing_else(plant: Plant, expected: dict[str, Any]):
    response = Request("POST", "/retrieve", {"query": "the report about travel", "top_k": 100}).send(plant, _asking(expected["who"]))

    hits = response.json().get("hits", [])
    words = {own_word(paper): paper.name for paper in STATE.papers.values()}
    assert {words[hit["passage"]["text"].split()[-1].rstrip(".")] for hit in hits} == set(expected["list"])


@expectations
def test_the_list_is_what_may_be_read(plant: Plant, expected: dict[str, Any]):
    response = Request("GET", "/documents", parameters={"limit": 50}).send(plant, _asking(expected["who"]))

    listed = {document["id"] for document in response.json().get("documents", [])}
    assert listed == {plant.document_id(STATE.papers[name]) for name in expected["list"]}
