"""What holds for every SCIM resource: who may call, identity, uniqueness, versions, errors, pages and limits."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from retrieval.domain.directory import EntryQuery
from retrieval.domain.directory_import import DirectoryImport, ImportedEntry
from retrieval.domain.permissions import Principal
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.api.scim.conftest import ARCHIVIST, GROUP, PROVIDER, USER, Provider, key_with

Refused = Callable[..., None]
PATHS = ("/Users", "/Groups", "/Users/x", "/ServiceProviderConfig", "/Schemas", "/ResourceTypes")


@pytest.mark.permissions
@pytest.mark.parametrize("path", PATHS)
def test_only_an_administrator_may_call(api: TestClient, world: World, provider: Provider, path: str):
    others = [key_with(world, Principal("ann"), role) for role in set(Role) - {Role.ADMIN, Role.APP}]
    others.append(key_with(world, PROVIDER, Role.APP))

    anonymous = api.get(f"/scim/v2{path}").status_code
    refused = {api.get(f"/scim/v2{path}", headers={"Authorization": key}).status_code for key in others}

    assert (anonymous, refused) == (401, {403})
    assert provider.send("GET", path).status_code == (404 if path == "/Users/x" else 200)


@pytest.mark.permissions
def test_the_subject_is_the_external_id_and_without_one_the_id(provider: Provider, world: World):
    provider.create_user("ann@example.com", "7F3A")
    without = provider.create_user("bob@example.com")
    group = provider.create_group("Board")

    subjects = [entry.subject for entry in world.catalog.directory.search(EntryQuery()).entries]

    assert subjects == sorted(["user:7F3A", f"user:{without}", f"group:{group}"])


@pytest.mark.permissions
@pytest.mark.parametrize("kind", ["Users", "Groups"])
@pytest.mark.parametrize(
    "operation",
    [
        pytest.param({"op": "replace", "path": "externalId", "value": "bob"}, id="path"),
        pytest.param({"op": "Replace", "value": {"EXTERNALID": "bob"}}, id="no path, another case"),
        pytest.param({"op": "add", "path": "{core}:externalId", "value": "bob"}, id="urn"),
        pytest.param({"op": "remove", "path": "externalId"}, id="remove"),
        pytest.param({"op": "replace", "path": "id", "value": "x"}, id="id"),
    ],
)
def test_what_identifies_a_resource_cannot_be_changed(
    provider: Provider, refused: Refused, world: World, kind: str, operation: dict[str, Any]
):
    create = provider.create_user if kind == "Users" else provider.create_group
    id_ = create("ann", "ann")
    written = json.loads(json.dumps(operation).replace("{core}", USER if kind == "Users" else GROUP))

    refused(provider.patch(f"/{kind}/{id_}", written), 400, "mutability")

    assert provider.send("GET", f"/{kind}/{id_}").json()["externalId"] == "ann"
    same = {"op": "replace", "value": {"externalId": "ann", "id": id_}}
    assert provider.patch(f"/{kind}/{id_}", same).status_code in (200, 204)


@pytest.mark.permissions
def test_an_external_id_cannot_come_later(provider: Provider, refused: Refused):
    user = provider.create_user("ann")

    refused(provider.patch(f"/Users/{user}", {"op": "add", "path": "externalId", "value": "ann"}), 400, "mutability")
    refused(provider.send("PUT", f"/Users/{user}", {"userName": "ann", "externalId": "ann"}), 400, "mutability")


def test_a_user_name_is_unique_in_whatever_case_and_a_retry_says_so(provider: Provider, refused: Refused):
    body = {"schemas": [USER], "userName": "Ann@Example.com", "externalId": "a1"}
    provider.send("POST", "/Users", body)
    other = provider.create_user("bob", "b1")

    refused(provider.send("POST", "/Users", body), 409, "uniqueness")
    refused(provider.send("POST", "/Users", {**body, "externalId": "a2", "userName": "ann@example.COM"}), 409, "uniqueness")
    refused(provider.patch(f"/Users/{other}", {"op": "replace", "value": {"userName": "ANN@example.com"}}), 409, "uniqueness")
    refused(provider.send("POST", "/Users", {**body, "userName": "another"}), 409, "uniqueness")


@pytest.mark.permissions
def test_a_deleted_users_external_id_is_never_given_again_but_the_name_is(provider: Provider, refused: Refused, world: World):
    user = provider.create_user("ann", "a1")

    first, second = (provider.send("DELETE", f"/Users/{user}") for _ in range(2))

    assert first.status_code == 204
    refused(second, 404)
    refused(provider.send("GET", f"/Users/{user}"), 404)
    refused(provider.patch(f"/Users/{user}", {"op": "replace", "value": {"active": True}}), 404)
    refused(provider.send("POST", "/Users", {"userName": "zoe", "externalId": "a1"}), 409, "uniqueness")
    assert not world.catalog.directory.is_active("user:a1")
    assert provider.create_user("ann", "a2")


def test_what_another_manager_entered_is_not_taken(provider: Provider, refused: Refused, world: World):
    world.catalog.directory.take(DirectoryImport({"user:ann": ImportedEntry("user:ann", "Ann", "people.csv, line 2")}))

    refused(provider.send("POST", "/Users", {"userName": "ann", "externalId": "ann"}), 409, "uniqueness")


def test_a_repeated_change_of_a_group_changes_nothing(provider: Provider, world: World):
    user, group = provider.create_user("ann"), provider.create_group("Board")
    operation = {"op": "add", "path": "members", "value": [{"value": user}]}

    etags = [provider.patch(f"/Groups/{group}", operation).headers["etag"] for _ in range(2)]
    revision = world.catalog.revision()
    gone = [provider.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{user}"]'}).status_code for _ in range(2)]

    assert etags[0] == etags[1]
    assert gone == [204, 204]
    assert world.catalog.revision() == revision + 1


def test_a_change_of_an_old_version_is_a_412(provider: Provider, refused: Refused):
    user = provider.create_user("ann")
    first = provider.send("GET", f"/Users/{user}").headers["etag"]
    off = {"op": "replace", "value": {"active": False}}

    current = provider.patch(f"/Users/{user}", {"op": "replace", "value": {"title": "CEO"}}, If_Match=first)

    assert first == 'W/"1"'
    assert current.headers["etag"] == current.json()["meta"]["version"] == 'W/"2"'
    for stale in (first, 'W/"99"', "nonsense", '"1"'):
        refused(provider.patch(f"/Users/{user}", off, If_Match=stale), 412)
        refused(provider.send("PUT", f"/Users/{user}", {"userName": "zoe"}, If_Match=stale), 412)
        refused(provider.send("DELETE", f"/Users/{user}", If_Match=stale), 412)
    assert provider.patch(f"/Users/{user}", off, If_Match='W/"1", W/"2"').status_code == 200
    assert provider.send("DELETE", f"/Users/{user}", If_Match="*").status_code == 204


def test_changes_of_one_group_at_the_same_time_all_take_effect(provider: Provider):
    people = [provider.create_user(f"user{n}") for n in range(20)]
    group = provider.create_group("Board")

    def join(person: str) -> int:
        return provider.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": person}]}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(join, people))

    assert statuses == {204}
    assert provider.members(group) == set(people)


def test_groups_nest(provider: Provider, world: World):
    user, inner, outer = provider.create_user("ann", "ann"), provider.create_group("In", "in"), provider.create_group("Out", "out")

    provider.patch(f"/Groups/{inner}", {"op": "add", "path": "members", "value": [{"value": user}]})
    provider.patch(f"/Groups/{outer}", {"op": "add", "path": "members", "value": [{"value": inner, "type": "Group"}]})

    assert world.catalog.directory.effective_groups("user:ann") == {"group:in", "group:out"}
    assert provider.send("GET", f"/Groups/{outer}").json()["members"][0]["type"] == "Group"


def test_a_member_must_be_there_to_be_added_and_need_not_be_to_be_removed(provider: Provider, refused: Refused):
    user = provider.create_user("ann")
    group = provider.create_group("Board", "", user)
    change = {"path": "members", "value": [{"value": user}, {"value": "nobody"}]}

    refused(provider.patch(f"/Groups/{group}", {"op": "add", **change}), 400, "invalidValue")
    refused(provider.send("POST", "/Groups", {"displayName": "B", "members": [{"value": "nobody"}]}), 400, "invalidValue")

    assert provider.patch(f"/Groups/{group}", {"op": "remove", **change}).status_code == 204
    assert provider.members(group) == set()


def test_a_patch_is_whole_or_nothing(provider: Provider, refused: Refused):
    user = provider.create_user("ann", displayName="Ann")
    good, bad = {"op": "replace", "value": {"displayName": "B"}}, {"op": "replace", "path": "active", "value": "perhaps"}

    refused(provider.patch(f"/Users/{user}", good, bad), 400, "invalidValue")

    assert provider.send("GET", f"/Users/{user}").json()["displayName"] == "Ann"


def test_the_service_describes_itself(provider: Provider, refused: Refused):
    config = provider.send("GET", "/ServiceProviderConfig").json()
    kinds = provider.send("GET", "/ResourceTypes").json()["Resources"]
    schemas = provider.send("GET", "/Schemas").json()["Resources"]

    assert (config["patch"]["supported"], config["bulk"]["supported"], config["etag"]["supported"]) == (True, False, True)
    assert {kind["endpoint"] for kind in kinds} == {"/Users", "/Groups"}
    assert {schema["id"] for schema in schemas} >= {USER, GROUP, ARCHIVIST}
    for resource in [*kinds, *schemas]:
        assert provider.send("GET", resource["meta"]["location"].removeprefix("/scim/v2")).json() == resource
    refused(provider.send("GET", "/Schemas/urn:nothing"), 404)


def test_the_provider_that_changes_something_is_in_the_audit_log(provider: Provider, world: World):
    provider.create_user("ann", "a1")

    with world.catalog.database.read() as connection:
        record = connection.exec_driver_sql("SELECT record FROM audit WHERE action = 'directory.changed'").scalar_one()

    assert json.loads(record)["actor"] == "app:okta"
    assert json.loads(record)["details"]["subject"] == "user:a1"
