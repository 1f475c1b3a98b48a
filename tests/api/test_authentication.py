"""Which credentials are a principal."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from retrieval.domain.errors import CatalogUnavailable
from retrieval.domain.keys import NO_KEY, ApiKey, StoredApiKey, accepts
from retrieval.domain.permissions import Principal
from tests.api.conftest import World

BODY = {"query": "abroad"}


def status_with(api: TestClient, authorization: str) -> int:
    return api.post("/retrieve", json=BODY, headers={"Authorization": authorization}).status_code


def test_a_live_key_is_its_principal_whatever_the_case_of_the_scheme(api: TestClient, world: World):
    key = world.key("ann")

    assert [status_with(api, f"{scheme} {key}") for scheme in ("Bearer", "bearer", "BEARER")] == [200, 200, 200]


def test_unknown_wrong_expired_revoked_and_no_key_are_one_401(api: TestClient, world: World):
    revoked, expired, known = world.key("ann"), world.key("ann", days=1), world.key("ann")
    world.catalog.keys.revoke(revoked.split("_")[1], world.clock.at)
    world.clock.at += timedelta(days=1)
    wrong_secret = ApiKey(known.split("_")[1], ApiKey.generate().secret).written
    wrong_id = ApiKey(ApiKey.generate().id, known.split("_")[2]).written
    refused = [f"Bearer {key}" for key in (revoked, expired, wrong_secret, wrong_id, "", known[:-1], known + "x", known.upper())]
    refused += ["", f"Basic {known}", known, f"Bearer {known} {known}", f"Bearer\t{known}", "Bearer " + "x" * 5000]

    responses = [api.post("/retrieve", json=BODY, headers={"Authorization": value}) for value in refused]
    responses.append(api.post("/retrieve", json=BODY))

    assert status_with(api, f"Bearer {known}") == 200
    assert {response.status_code for response in responses} == {401}
    bodies = {response.content.replace(response.json()["request_id"].encode(), b"") for response in responses}
    assert len(bodies) == 1


def test_a_key_works_until_the_moment_it_expires(api: TestClient, world: World):
    key = world.key("ann", days=1)
    world.clock.at += timedelta(days=1) - timedelta(microseconds=1)
    before = status_with(api, f"Bearer {key}")
    world.clock.at += timedelta(microseconds=1)

    after = status_with(api, f"Bearer {key}")

    assert (before, after) == (200, 401)


def test_two_authorization_headers_are_none(api: TestClient, world: World):
    key = world.key("ann")
    headers = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]

    assert api.post("/retrieve", json=BODY, headers=headers).status_code == 401


def test_a_key_in_the_address_is_no_credential(api: TestClient, world: World):
    assert api.post("/retrieve", params={"key": world.key("ann")}, json=BODY).status_code == 401


def test_keys_that_cannot_be_looked_up_are_a_503_and_not_a_401(world: World, ann: dict[str, str]):
    class Down:
        def find(self, key_id: str) -> StoredApiKey | None:
            raise CatalogUnavailable("the disk is gone")

    world.catalog = replace(world.catalog, keys=Down())

    response = TestClient(world.app()).post("/retrieve", json=BODY, headers=ann)

    assert response.status_code == 503
    assert response.json()["type"] == "urn:archivist:problem:catalog-unavailable"


def test_a_hash_proves_nothing_under_another_id(world: World):
    key = ApiKey.generate()
    other = ApiKey(ApiKey.generate().id, key.secret)
    stored = StoredApiKey(other.id, key.secret_hash, Principal("ann"), "", world.clock.at)

    assert not accepts(stored, other, world.clock.at)
    assert not accepts(stored, key, world.clock.at)
    assert not accepts(NO_KEY, key, world.clock.at)


def test_a_key_shows_its_secret_only_when_it_is_written_out():
    key = ApiKey.generate()

    assert ApiKey.parse(key.written) == key
    assert key.secret not in repr(key)
    assert len(key.secret_hash) == 32


@pytest.mark.parametrize("written", ["", "ak_", "ak_x_y", "ak_" + "a" * 16 + "_" + "a" * 42, "ak_" + "ä" * 16 + "_" + "a" * 43, "\x00"])
def test_what_is_not_written_like_a_key_is_none(written: str):
    assert ApiKey.parse(written) is None
