"""Lineage and recalls over HTTP: a real answer traced back, a recall that reaches it, and nobody who learns of either but auditors."""

import json

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.cli.main import app as commands
from retrieval.domain.permissions import Principal
from retrieval.domain.roles import Role
from tests.api.conftest import FILES, World
from tests.api.test_audit import credential, records

QUESTION = {"query": "How many days may I work from abroad?"}
MISTAKE = "published by mistake, it names Nightingale"


@pytest.fixture
def eve(world: World) -> dict[str, str]:
    return credential(world, Principal("eve"), Role.AUDITOR)


@pytest.fixture
def ann(world: World) -> dict[str, str]:
    return credential(world, Principal("ann"), Role.USER)


def recalled(api: TestClient, who: dict[str, str], document: str, **headers: str):
    return api.post("/recalls", json={"document": document, "reason": MISTAKE}, headers=who | headers)


def test_an_answer_is_traced_to_its_run_and_back(api: TestClient, world: World, eve: dict[str, str], ann: dict[str, str]):
    given = api.post("/answer", json=QUESTION, headers=ann).json()
    cited = {citation["document"] for citation in given["citations"]}
    assert cited == {world.document("travel.txt")}

    traced = api.get(f"/lineage/answers/{given['request_id']}", headers=eve).json()
    quoted = [version for version in traced["versions"] if version["quoted"]]
    [run] = {version["published_run"] for version in quoted}
    back = api.get(f"/lineage/runs/{run}", headers=eve).json()
    of_document = api.get(f"/lineage/documents/{world.document('travel.txt')}?limit=1", headers=eve).json()

    assert (traced["answer"], traced["person"], traced["action"]) == (given["request_id"], "user:ann", "answer")
    assert {version["document"] for version in quoted} == cited
    assert {citation["passage"] for citation in given["citations"]} <= {each for version in quoted for each in version["quoted"]}
    assert traced["model"] == world.index.embedder.model
    assert given["request_id"] in {showing["request_id"] for showing in back["showings"] if showing["quoted"]}
    assert [showing["request_id"] for showing in of_document["showings"]] == [given["request_id"]]
    [read] = [record for record in records(world, "lineage.read") if record["details"].get("run")]
    assert (read["actor"], read["details"]) == ("user:eve", {"run": run})


def test_what_is_asked_in_vain_is_recorded_by_its_hash_alone(api: TestClient, world: World, eve: dict[str, str]):
    for path in ("/lineage/answers/absent", "/lineage/runs/absent", "/lineage/documents/absent", "/recalls/absent"):
        assert api.get(path, headers=eve).status_code == 404

    refused = records(world, "lineage.read", "recall.read")
    assert [record["decision"] for record in refused] == ["denied"] * 4
    assert "absent" not in json.dumps(refused)


def test_a_recall_takes_back_and_says_to_whom_it_had_gone(api: TestClient, world: World, eve: dict[str, str], ann: dict[str, str]):
    given = api.post("/answer", json=QUESTION, headers=ann).json()
    travel = world.document("travel.txt")
    key = {"Idempotency-Key": "recall-1"}

    made = recalled(api, eve, travel, **key)
    again = recalled(api, eve, travel, **key)
    unkeyed = recalled(api, eve, travel)

    assert made.status_code == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == made.json()
    assert unkeyed.json()["id"] == made.json()["id"]
    assert made.json()["counts"]["answers"] == 1
    assert api.get(f"/documents/{travel}", headers=ann).status_code == 404
    told = api.get(f"/recalls/{made.json()['id']}", headers=eve).json()
    assert (told["reason"], told["made_by"]) == (MISTAKE, "user:eve")
    assert {(each["person"], each["request_id"]) for each in told["showings"]} == {("user:ann", given["request_id"])}
    assert told["next_cursor"] is None


def test_showings_of_a_recall_come_in_pages(api: TestClient, world: World, eve: dict[str, str], ann: dict[str, str]):
    asked = [api.post("/retrieve", json=QUESTION, headers=ann).json()["request_id"] for _ in range(3)]
    made = recalled(api, eve, world.document("travel.txt")).json()

    first = api.get(f"/recalls/{made['id']}?limit=2", headers=eve).json()
    rest = api.get(f"/recalls/{made['id']}?limit=2&cursor={first['next_cursor']}", headers=eve).json()

    pages = [[showing["request_id"] for showing in page["showings"]] for page in (first, rest)]
    assert pages == [[asked[2], asked[1]], [asked[0]]]
    assert rest["next_cursor"] is None


@pytest.mark.permissions
def test_an_administrator_takes_back_and_learns_how_many_and_not_whom(api: TestClient, world: World, ann: dict[str, str]):
    root = credential(world, Principal("root"), Role.ADMIN)
    api.post("/answer", json=QUESTION, headers=ann)

    made = recalled(api, root, world.document("travel.txt"))

    assert made.json()["counts"]["people"] == 1
    assert "user:ann" not in made.text
    assert api.get(f"/recalls/{made.json()['id']}", headers=root).status_code == 403


@pytest.mark.permissions
@pytest.mark.parametrize(
    "body", [{"reason": "a"}, {"document": "a", "source": "b", "reason": "c"}, {"document": "a"}, {"document": "a", "reason": ""}]
)
def test_a_recall_names_one_thing_and_why(api: TestClient, eve: dict[str, str], body: dict[str, str]):
    assert api.post("/recalls", json=body, headers=eve).status_code == 422


@pytest.mark.permissions
def test_to_everybody_else_a_recalled_document_is_one_that_never_was(
    api: TestClient, world: World, eve: dict[str, str], ann: dict[str, str]
):
    """Two worlds: recalled, and withdrawn because its source lacks it. Nobody who may read tells them apart."""
    bob = credential(world, Principal("bob"), Role.USER)
    travel = world.document("travel.txt")
    paths = [f"/documents/{travel}", "/documents", f"/lineage/documents/{travel}", "/recalls/absent"]

    def seen() -> list[object]:
        asked = [api.get(path, headers=who) for who in (ann, bob) for path in paths]
        asked += [api.post(path, json=QUESTION, headers=who) for who in (ann, bob) for path in ("/retrieve", "/answer")]
        return [(response.status_code, told(response.json())) for response in asked]

    def told(said: object) -> object:
        changing = {"request_id", "consistency_token", "took_ms", "timings", "instance", "published_at", "next_cursor", "last_success_at"}
        if isinstance(said, dict):
            return {name: told(value) for name, value in said.items() if name not in changing}
        return [told(each) for each in said] if isinstance(said, list) else said

    made = recalled(api, eve, travel)
    assert made.status_code == 201
    after_recall = seen()
    world.story.sync({key: file for key, file in FILES.items() if key != "travel.txt"})

    assert seen() == after_recall


def test_the_command_shows_the_same(world: World, api: TestClient, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ARCHIVIST_DATA_DIRECTORY", str(world.settings.data_directory))
    given = api.post("/answer", json=QUESTION, headers=ann).json()["request_id"]
    run = CliRunner().invoke

    answer = json.loads(run(commands, ["lineage", "answer", given, "--json"]).stdout)
    [published] = {version["published_run"] for version in answer["versions"]}
    of_run = run(commands, ["lineage", "run", published])
    of_document = run(commands, ["lineage", "document", world.document("travel.txt")])

    assert answer["person"] == "user:ann"
    assert given in of_run.stdout
    assert given in of_document.stdout
    assert run(commands, ["lineage", "answer", "absent"]).exit_code != 0
