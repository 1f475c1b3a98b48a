"""The requests of Okta's provisioning, in the shapes that its documentation gives."""

from tests.api.scim.conftest import ARCHIVIST, GROUP, USER, Provider

NEW_USER = {
    "schemas": [USER],
    "userName": "test.user@okta.local",
    "name": {"givenName": "Test", "familyName": "User"},
    "emails": [{"primary": True, "value": "test.user@okta.local", "type": "work"}],
    "displayName": "Test User",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq",
    "active": True,
}


def entered(provider: Provider) -> str:
    return str(provider.send("POST", "/Users", NEW_USER).json()["id"])


def test_a_user_is_sought_before_it_is_created(provider: Provider):
    path = "/Users?filter=userName%20eq%20%22test.user%40okta.local%22&startIndex=1&count=100"

    before = provider.send("GET", path).json()["totalResults"]
    made = provider.send("POST", "/Users", NEW_USER)

    assert (before, made.status_code) == (0, 201)
    assert provider.send("GET", path).json()["totalResults"] == 1


def test_a_password_is_neither_kept_nor_shown(provider: Provider, world):
    user = entered(provider)

    assert "password" not in provider.send("GET", f"/Users/{user}").json()
    stored = b"".join(path.read_bytes() for path in world.settings.data_directory.glob("catalog.db*"))
    assert b"1mz050nq" not in stored


def test_a_profile_is_pushed_by_a_full_put(provider: Provider):
    user = entered(provider)
    body = {**NEW_USER, "id": user, "name": {"givenName": "Another", "familyName": "User"}, "emails": []}

    response = provider.send("PUT", f"/Users/{user}", body)

    assert (response.status_code, response.json()["name"]["givenName"]) == (200, "Another")
    assert "emails" not in response.json()


def test_a_put_that_says_nothing_of_clearance_regions_and_activity_leaves_them(provider: Provider):
    user = provider.create_user("ann", "a1", **{ARCHIVIST: {"clearance": "public", "regions": ["eu"]}})
    provider.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})

    after = provider.send("PUT", f"/Users/{user}", {"schemas": [USER], "userName": "ann"}).json()

    assert after[ARCHIVIST] == {"clearance": "public", "regions": ["eu"]}
    assert (after["active"], after["externalId"]) == (False, "a1")


def test_a_user_is_deactivated_and_activated_without_a_path(provider: Provider):
    user = entered(provider)

    off = provider.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})
    on = provider.patch(f"/Users/{user}", {"op": "replace", "value": {"active": True}})

    assert [(r.status_code, r.json()["active"]) for r in (off, on)] == [(200, False), (200, True)]


def test_a_group_is_pushed_renamed_and_filled(provider: Provider):
    people = [provider.create_user(f"user{n}@okta.local") for n in range(3)]
    made = provider.send("POST", "/Groups", {"schemas": [GROUP], "displayName": "Test SCIMv2", "members": []})
    group = made.json()["id"]

    renamed = provider.patch(f"/Groups/{group}", {"op": "replace", "value": {"id": group, "displayName": "Test SCIMv2 renamed"}})
    filled = provider.patch(
        f"/Groups/{group}",
        {"op": "remove", "path": f'members[value eq "{people[2]}"]'},
        {"op": "add", "path": "members", "value": [{"value": people[0], "display": "user0@okta.local"}, {"value": people[1]}]},
    )

    assert (made.status_code, renamed.status_code, filled.status_code) == (201, 204, 204)
    shown = provider.send("GET", f"/Groups/{group}").json()
    assert shown["displayName"] == "Test SCIMv2 renamed"
    assert [(m["display"], m["type"]) for m in sorted(shown["members"], key=lambda m: m["display"])] == [
        ("user0@okta.local", "User"),
        ("user1@okta.local", "User"),
    ]


def test_members_are_replaced_as_a_list(provider: Provider):
    people = [provider.create_user(f"user{n}@okta.local") for n in range(3)]
    group = provider.create_group("Staff", "", *people[:2])

    provider.patch(f"/Groups/{group}", {"op": "replace", "path": "members", "value": [{"value": people[2]}]})
    replaced = provider.members(group)
    provider.patch(f"/Groups/{group}", {"op": "replace", "path": "members", "value": []})

    assert (replaced, provider.members(group)) == ({people[2]}, set())


def test_a_group_is_replaced_by_a_put(provider: Provider):
    people = [provider.create_user(f"user{n}@okta.local") for n in range(2)]
    group = provider.create_group("Staff", "", people[0])

    body = {"schemas": [GROUP], "id": group, "displayName": "People", "members": [{"value": people[1]}]}
    response = provider.send("PUT", f"/Groups/{group}", body)

    assert (response.status_code, response.json()["displayName"]) == (200, "People")
    assert provider.members(group) == {people[1]}
