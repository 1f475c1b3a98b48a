"""/keys: administrators give and take API keys, and read nothing by it."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from retrieval.domain.keys import ApiKey
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.api.identity.conftest import bearer, key_of


@pytest.fixture
def admin(world: World) -> dict[str, str]:
    return bearer(key_of(world, "user:root", Role.ADMIN))


@pytest.mark.parametrize(("method", "path"), [("GET", "/keys"), ("POST", "/keys"), ("DELETE", "/keys/abcdefgh12345678")])
def test_keys_are_for_administrators_only(api: TestClient, world: World, method: str, path: str):
    body = {"principal": "user:eve", "roles": ["admin"]} if method == "POST" else None

    anonymous = api.request(method, path, json=body)
    user = api.request(method, path, json=body, headers=bearer(key_of(world, "user:ann")))
    auditor = api.request(method, path, json=body, headers=bearer(key_of(world, "user:kim", Role.AUDITOR, Role.REVIEWER, Role.DATA_OWNER)))

    assert [anonymous.status_code, user.status_code, auditor.status_code] == [401, 403, 403]


@pytest.mark.permissions
def test_an_administrator_reads_no_document(api: TestClient, world: World, admin: dict[str, str]):
    responses = [
        api.get(f"/documents/{world.document('travel.txt')}", headers=admin),
        api.post("/retrieve", json={"query": "abroad"}, headers=admin),
        api.post("/answer", json={"query": "abroad"}, headers=admin),
    ]

    assert [response.status_code for response in responses] == [403, 403, 403]


def test_a_created_key_is_shown_once_and_works(api: TestClient, world: World, admin: dict[str, str]):
    created = api.post("/keys", json={"principal": "app:portal", "label": "laptop"}, headers=admin)
    listed = api.get("/keys", headers=admin)

    assert created.status_code == 201
    key = ApiKey.parse(created.json()["key"])
    assert key is not None
    assert created.json()["created"] == {
        "id": key.id,
        "principal": "app:portal",
        "roles": ["app"],
        "sources": None,
        "label": "laptop",
        "created_at": "2026-03-01T09:00:00Z",
        "expires_at": None,
        "state": "live",
    }
    assert api.get(f"/documents/{world.document('travel.txt')}", headers=bearer(key.written)).status_code == 200
    assert created.json()["created"] in listed.json()["keys"]
    assert key.secret not in listed.text


def test_a_key_can_be_for_some_sources_for_some_days_and_in_some_roles(api: TestClient, world: World, admin: dict[str, str]):
    body = {"principal": "app:siem", "roles": ["auditor", "app"], "sources": ["wiki"], "expires_days": 30}

    made = api.post("/keys", json=body, headers=admin).json()

    assert made["created"]["roles"] == ["app", "auditor"]
    assert made["created"]["expires_at"] == "2026-03-31T09:00:00Z"
    path = f"/documents/{world.document('travel.txt')}"  # of the source handbook
    assert api.get(path, headers=bearer(made["key"])).status_code == 404
    world.clock.at += timedelta(days=30)
    assert api.get(path, headers=bearer(made["key"])).status_code == 401


def test_a_revoked_key_is_refused_from_the_next_request_on(api: TestClient, world: World, admin: dict[str, str]):
    key = key_of(world, "user:ann")
    path, id_ = f"/documents/{world.document('travel.txt')}", key.split("_")[1]
    before = api.get(path, headers=bearer(key))

    revoked, again = (api.delete(f"/keys/{id_}", headers=admin) for _ in range(2))

    assert [before.status_code, revoked.status_code, again.status_code] == [200, 204, 204]
    assert api.get(path, headers=bearer(key)).status_code == 401
    assert [known["state"] for known in api.get("/keys", headers=admin).json()["keys"] if known["id"] == id_] == ["revoked"]


@pytest.mark.parametrize("id_", ["abcdefgh12345678", "x", "ABCDEFGH12345678", "abcdefgh1234567ä", "a" * 400])
def test_a_key_that_is_not_there_is_the_one_404(api: TestClient, admin: dict[str, str], id_: str):
    response = api.delete(f"/keys/{id_}", headers=admin)

    assert response.status_code == 404
    assert response.json()["detail"] == "There is nothing here that you may read."


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "principal", id="nobody"),
        pytest.param({"principal": "ann"}, "principal", id="no kind"),
        pytest.param({"principal": "group:board"}, "principal", id="a group"),
        pytest.param({"principal": "everyone"}, "principal", id="everyone"),
        pytest.param({"principal": "user:"}, "principal", id="no name"),
        pytest.param({"principal": "user:https://login.example|ann"}, "principal", id="another issuer's"),
        pytest.param({"principal": "user:ann"}, "roles", id="one that reads as a person"),
        pytest.param({"principal": "user:ann", "roles": ["auditor", "user"]}, "roles", id="one that reads as a person among other things"),
        pytest.param({"principal": "user:ann", "roles": ["root"]}, "roles", id="no role"),
        pytest.param({"principal": "user:ann", "roles": ["app"]}, "roles", id="a role that no person has"),
        pytest.param({"principal": "app:portal", "roles": ["user"]}, "roles", id="a role that no application has"),
        pytest.param({"principal": "user:ann", "sources": []}, "sources", id="no source"),
        pytest.param({"principal": "user:ann", "sources": ["../x"]}, "sources[0]", id="not a source"),
        pytest.param({"principal": "user:ann", "sources": [f"s{n}" for n in range(101)]}, "sources", id="too many sources"),
        pytest.param({"principal": "user:ann", "expires_days": 0}, "expires_days", id="expired at once"),
        pytest.param({"principal": "user:ann", "expires_days": True}, "expires_days", id="not a number"),
        pytest.param({"principal": "user:ann", "label": "x" * 201}, "label", id="a long label"),
        pytest.param({"principal": "user:ann", "id": "mine"}, "id", id="an id of one's choice"),
        pytest.param({"principal": "user:ann", "secret_hash": "mine"}, "secret_hash", id="a hash of one's choice"),
    ],
)
def test_a_body_that_breaks_a_rule_makes_no_key(api: TestClient, world: World, admin: dict[str, str], body: dict[str, object], field: str):
    known = len(world.catalog.keys.list())

    response = api.post("/keys", json=body, headers=admin)

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert len(world.catalog.keys.list()) == known


def test_keys_are_listed_in_pages_newest_first(world: World, api: TestClient, admin: dict[str, str]):
    for name in ("a", "b", "c"):
        world.clock.at += timedelta(seconds=1)
        key_of(world, f"user:{name}")

    first = api.get("/keys?limit=2", headers=admin).json()
    second = api.get("/keys", params={"limit": 2, "cursor": first["next_cursor"]}, headers=admin).json()

    listed = [key["principal"] for page in (first, second) for key in page["keys"]]
    assert listed == ["user:c", "user:b", "user:a", "user:root"]
    assert second["next_cursor"] is None


def test_a_cursor_of_the_list_is_its_askers_own(world: World, api: TestClient, admin: dict[str, str]):
    other = bearer(key_of(world, "user:deputy", Role.ADMIN))
    cursor = api.get("/keys?limit=1", headers=admin).json()["next_cursor"]

    assert api.get("/keys", params={"cursor": cursor}, headers=other).status_code == 422


def test_through_an_application_an_administrators_key_gives_no_keys(world: World, api: TestClient):
    headers = bearer(key_of(world, "app:portal"), on_behalf_of=key_of(world, "user:root", Role.ADMIN, Role.USER))

    assert api.get("/keys", headers=headers).status_code == 403
