"""GET /documents/{id}, in the order anonymous, wrong principal, hidden, absent, valid."""

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.api.conftest import FILES, World
from tests.story import allow


def without_request_id(response: Response) -> bytes:
    return response.content.replace(response.json()["request_id"].encode(), b"")


def test_an_anonymous_caller_sees_no_document(api: TestClient, world: World):
    assert api.get(f"/documents/{world.document('travel.txt')}").status_code == 401


@pytest.mark.permissions
def test_a_document_is_there_for_who_may_read_it_and_not_for_others(
    api: TestClient, world: World, ann: dict[str, str], bea: dict[str, str]
):
    path = f"/documents/{world.document('nightingale.txt')}"

    statuses = [api.get(path, headers=who).status_code for who in (ann, bea)]

    assert statuses == [404, 200]


@pytest.mark.permissions
def test_hidden_absent_and_ill_formed_are_one_404_to_the_byte(api: TestClient, world: World, ann: dict[str, str]):
    hidden = world.document("nightingale.txt")
    paths = [f"/documents/{hidden}", f"/documents/{world.document('no such key')}", "/documents/%00", "/documents/a%2Fb", "/documents/…"]
    paths += [f"/documents/{hidden}?start=0&end=5", f"/documents/{hidden.upper()}", f"/documents/{hidden}%20", f"/{hidden}"]

    responses = [api.get(path, headers=ann) for path in paths]

    assert {response.status_code for response in responses} == {404}
    assert {without_request_id(response) for response in responses} == {without_request_id(responses[0])}
    assert {tuple(sorted(response.headers)) for response in responses} == {tuple(sorted(responses[0].headers))}


@pytest.mark.permissions
def test_a_wrong_span_of_a_hidden_document_is_refused_as_for_an_absent_one(api: TestClient, world: World, ann: dict[str, str]):
    hidden, absent = world.document("nightingale.txt"), world.document("no such key")

    for parameters in ({"start": 5}, {"start": 5, "end": 5}, {"start": 0, "end": 10**9}, {"context": 10**9}, {"start": 0, "end": 40_000}):
        pair = [api.get(f"/documents/{id_}", params=parameters, headers=ann) for id_ in (hidden, absent)]

        assert without_request_id(pair[0]) == without_request_id(pair[1])


@pytest.mark.permissions
def test_a_document_hidden_by_a_change_of_its_permissions_is_gone_at_once(api: TestClient, world: World, ann: dict[str, str]):
    path = f"/documents/{world.document('travel.txt')}"
    before = api.get(path, headers=ann).status_code
    run = world.story.start()
    world.story.record(run, {**FILES, "travel.txt": (FILES["travel.txt"][0], allow("group:board"))})

    after = api.get(path, headers=ann).status_code

    assert (before, after) == (200, 404)


def test_a_document_shows_its_metadata_its_version_and_its_beginning(api: TestClient, world: World, ann: dict[str, str]):
    document = api.get(f"/documents/{world.document('travel.txt')}", headers=ann).json()

    text = FILES["travel.txt"][0]
    assert (document["id"], document["source"], document["title"]) == (world.document("travel.txt"), "handbook", "travel.txt")
    assert (document["version"]["number"], document["version"]["state"], document["version"]["characters"]) == (1, "current", len(text))
    assert document["versions"] == [document["version"]]
    assert document["extract"] == {"text": text, "start": 0, "end": len(text), "highlight": None}


def test_a_citation_can_be_shown_in_its_context(api: TestClient, world: World, bea: dict[str, str]):
    hit = api.post("/retrieve", json={"query": "Nightingale takeover", "top_k": 1}, headers=bea).json()["hits"][0]
    cited = hit["citation"]
    parameters = {"version": cited["version"], "start": cited["span"]["start"], "end": cited["span"]["end"], "context": 5}

    extract = api.get(f"/documents/{cited['document']}", params=parameters, headers=bea).json()["extract"]

    highlight = extract["highlight"]
    text = FILES["nightingale.txt"][0]
    assert extract["text"][highlight["start"] : highlight["end"]] == cited["quote"]
    assert extract["text"] == text[extract["start"] : extract["end"]]
    assert extract["end"] - extract["start"] == len(cited["quote"]) + 5


def test_context_is_a_default_when_the_caller_does_not_say(api: TestClient, world: World, ann: dict[str, str]):
    parameters = {"start": 20, "end": 22}

    extract = api.get(f"/documents/{world.document('travel.txt')}", params=parameters, headers=ann).json()["extract"]

    assert (extract["start"], extract["end"]) == (10, 32)


def test_the_beginning_is_cut_at_its_limit(world: World, ann: dict[str, str]):
    world.settings = world.settings.model_copy(update={"extract_default_characters": 9})
    client = TestClient(world.app())

    extract = client.get(f"/documents/{world.document('travel.txt')}", headers=ann).json()["extract"]

    assert extract == {"text": "Everybody", "start": 0, "end": 9, "highlight": None}


def test_a_version_that_is_not_current_is_not_shown(api: TestClient, world: World, ann: dict[str, str]):
    path = f"/documents/{world.document('travel.txt')}"
    old = api.get(path, headers=ann).json()["version"]["id"]
    world.story.sync({**FILES, "travel.txt": ("Nobody works from abroad now.", FILES["travel.txt"][1])})

    assert api.get(path, params={"version": old}, headers=ann).status_code == 404
    assert api.get(path, headers=ann).json()["version"]["number"] == 2


@pytest.mark.parametrize(
    ("parameters", "field", "limit"),
    [
        pytest.param({"start": 3}, "end", None, id="no end"),
        pytest.param({"end": 3}, "start", None, id="no start"),
        pytest.param({"start": 5, "end": 5}, "end", None, id="an empty span"),
        pytest.param({"start": -1, "end": 5}, "start", "at least 0", id="before the text"),
        pytest.param({"start": 0, "end": 9999}, "end", "67 characters", id="past the text"),
        pytest.param({"start": 0, "end": 60_000}, "end", "50000 characters", id="a long span"),
        pytest.param({"context": 5001}, "context", "5000 characters", id="much context"),
        pytest.param({"start": "x", "end": 5}, "start", None, id="not a number"),
        pytest.param({"as": "bea"}, "as", None, id="an unknown parameter"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_limit(  # noqa: PLR0917 - fixtures and cases
    api: TestClient, world: World, ann: dict[str, str], parameters: dict[str, object], field: str, limit: str | None
):
    response = api.get(f"/documents/{world.document('travel.txt')}", params=parameters, headers=ann)

    assert response.status_code == 422
    assert [(error["field"], error["limit"]) for error in response.json()["errors"]] == [(field, limit)]
