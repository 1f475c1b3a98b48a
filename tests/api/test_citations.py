"""GET /citations/{id} and GET /citations/{id}/verify, in the order anonymous, wrong principal, hidden, absent, valid."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from retrieval.domain.audit import AuditAction, AuditFilter
from tests.api.conftest import FILES, World
from tests.story import BOB, allow

PATHS = ("/citations/{}", "/citations/{}/verify")


def given(api: TestClient, who: dict[str, str], question: str = "Who may work from abroad for 30 days?") -> dict[str, Any]:
    """The first citation of an answer."""
    answer = api.post("/answer", json={"query": question}, headers=who).json()
    return answer["citations"][0]


def without_request_id(response: Response) -> bytes:
    return response.content.replace(response.json()["request_id"].encode(), b"")


def change(world: World, **files: tuple[str, object]) -> None:
    world.story.sync({**FILES, **{f"{name}.txt": file for name, file in files.items()}})


@pytest.mark.parametrize("path", PATHS)
def test_an_anonymous_caller_sees_no_citation(api: TestClient, ann: dict[str, str], path: str):
    assert api.get(path.format(given(api, ann)["id"])).status_code == 401


@pytest.mark.permissions
@pytest.mark.parametrize("path", PATHS)
def test_a_citation_given_to_others_an_absent_and_an_ill_formed_one_are_one_404_to_the_byte(
    api: TestClient, ann: dict[str, str], bea: dict[str, str], path: str
):
    secret = given(api, bea, "What is the merger Nightingale?")["id"]
    readable = given(api, bea)["id"]

    asked = [secret, readable, "cit_" + 24 * "0", "cit_x", "%00", f"{secret}%20", str(secret).upper()]
    responses = [api.get(path.format(id_), headers=ann) for id_ in asked]

    assert {response.status_code for response in responses} == {404}
    assert {without_request_id(response) for response in responses} == {without_request_id(responses[0])}
    assert {tuple(sorted(response.headers)) for response in responses} == {tuple(sorted(responses[0].headers))}


@pytest.mark.permissions
@pytest.mark.parametrize("path", PATHS)
def test_who_may_no_longer_read_what_was_cited_is_told_so_and_shown_nothing_of_it(
    api: TestClient, world: World, ann: dict[str, str], path: str
):
    citation = given(api, ann)
    change(world, travel=(FILES["travel.txt"][0], allow("group:board")))

    hidden = api.get(path.format(citation["id"]), headers=ann)
    change(world, travel=("Something else altogether.", allow("group:board")))
    changed = api.get(path.format(citation["id"]), headers=ann)

    assert hidden.status_code == 200
    assert without_request_id(hidden) == without_request_id(changed)
    assert all(word not in hidden.text for word in ("abroad", "manager", "travel"))
    assert hidden.json()["quoted"] is None


def test_the_state_follows_the_document(api: TestClient, world: World, ann: dict[str, str]):
    citation = given(api, ann)
    path = f"/citations/{citation['id']}/verify"
    text = FILES["travel.txt"][0]
    states = [api.get(path, headers=ann).json()]
    change(world, travel=("Read this. " + text, FILES["travel.txt"][1]))
    states.append(api.get(path, headers=ann).json())
    change(world, travel=("Nobody may work from abroad.", FILES["travel.txt"][1]))
    states.append(api.get(path, headers=ann).json())
    world.story.sync({name: file for name, file in FILES.items() if name != "travel.txt"})
    states.append(api.get(path, headers=ann).json())
    change(world, travel=(text, allow("group:board")))
    states.append(api.get(path, headers=ann).json())

    told = [(state["state"], state["version_is_current"], state["stands"]) for state in states]
    assert told == [
        ("intact", True, True),
        ("changed", False, True),
        ("changed", False, False),
        ("withdrawn", False, None),
        ("not_readable", False, None),
    ]
    assert states[1]["quoted"]["span"] == {key: place + 11 for key, place in citation["span"].items()}
    assert [state["quoted"] and state["quoted"]["quote"] for state in states] == [citation["quote"], citation["quote"], None, None, None]


def test_a_receipt_names_the_version_the_place_and_the_request(api: TestClient, world: World, ann: dict[str, str]):
    answer = api.post("/answer", json={"query": "Who may work from abroad for 30 days?"}, headers=ann).json()
    citation = answer["citations"][0]

    receipt = api.get(f"/citations/{citation['id']}", headers=ann).json()

    assert (receipt["id"], receipt["document"], receipt["version"]["id"]) == (citation["id"], citation["document"], citation["version"])
    assert (receipt["span"], receipt["given_in"], receipt["readable"]) == (citation["span"], answer["request_id"], True)
    assert receipt["quoted"]["quote"] == citation["quote"]
    assert receipt["current"]["title"] == "travel.txt"


@pytest.mark.permissions
def test_reading_a_citation_is_recorded_whether_it_is_shown_or_refused(api: TestClient, world: World, ann: dict[str, str]):
    citation = given(api, ann)
    api.get(f"/citations/{citation['id']}", headers=ann)
    api.get("/citations/cit_" + 24 * "0", headers=ann)

    records = world.catalog.audit.read(BOB, AuditFilter(action=AuditAction.CITATION_READ), limit=10)

    fields = [dict(record.fields) for record in records]
    assert [(found["decision"], found["outcome"]) for found in fields] == [("denied", "not readable"), ("allowed", "intact")]
    assert fields[1]["details"] == {"citation": citation["id"]}
    assert "details" not in fields[0]
    assert "asked_hmac" in fields[0]
