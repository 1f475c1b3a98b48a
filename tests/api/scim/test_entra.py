"""The requests of Entra ID's provisioning service, in the shapes that its documentation gives."""

from tests.api.scim.conftest import ARCHIVIST, ENTERPRISE, USER, Provider

NEW_USER = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Test_User_ab6490ee@example.com",
    "active": True,
    "displayName": "Ann Archer",
    "emails": [{"primary": True, "type": "work", "value": "ann@example.com"}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "Ann Archer", "familyName": "Archer", "givenName": "Ann"},
    "roles": [],
    ENTERPRISE: {"department": "Law", "manager": {"value": "7"}},
}
NEW_GROUP = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
    "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
    "displayName": "Board",
    "meta": {"resourceType": "Group"},
}


def entered(provider: Provider) -> str:
    response = provider.send("POST", "/Users", NEW_USER)
    assert response.status_code == 201
    return str(response.json()["id"])


def test_the_connection_is_tested_by_a_search_that_finds_nobody(provider: Provider):
    response = provider.send("GET", '/Users?filter=userName+eq+"9ccf7e5a-1f2f-4b6a-8f8c-0c5f8c8f1d2f"')

    assert response.status_code == 200
    assert response.json() == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 0,
        "startIndex": 1,
        "itemsPerPage": 0,
        "Resources": [],
    }


def test_a_user_is_created_as_told_and_found_by_name(provider: Provider):
    response = provider.send("POST", "/Users", NEW_USER)

    made = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == made["meta"]["location"] == f"/scim/v2/Users/{made['id']}"
    assert {name: value for name, value in made.items() if name not in ("id", "meta")} == {
        name: value for name, value in NEW_USER.items() if name not in ("meta", "roles")
    }
    assert provider.found("/Users", 'userName eq "test_USER_ab6490ee@example.com"') == [made["id"]]
    assert provider.found("/Users", f'externalId eq "{NEW_USER["externalId"]}"') == [made["id"]]


def test_attributes_are_replaced_one_by_one(provider: Provider):
    user = entered(provider)

    response = provider.patch(
        f"/Users/{user}",
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "new@example.com"},
        {"op": "Replace", "path": "name.familyName", "value": "Brook"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Finance"},
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+49 30 1"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "42"},
    )

    changed = response.json()
    assert response.status_code == 200
    assert changed["emails"] == [{"primary": True, "type": "work", "value": "new@example.com"}]
    assert changed["name"] == {"formatted": "Ann Archer", "familyName": "Brook", "givenName": "Ann"}
    assert changed[ENTERPRISE] == {"department": "Finance", "manager": {"value": "42"}}
    assert changed["phoneNumbers"] == [{"type": "mobile", "value": "+49 30 1"}]


def test_without_a_path_keys_are_paths(provider: Provider):
    user = entered(provider)
    value = {
        "displayName": "Ann Brook",
        "name.familyName": "Brook",
        'emails[type eq "work"].value': "brook@example.com",
        f"{ENTERPRISE}:department": "Tax",
        f"{ARCHIVIST}:clearance": "internal",
        "unknownAttribute": "ignored",
    }

    changed = provider.patch(f"/Users/{user}", {"op": "replace", "value": value}).json()

    assert (changed["displayName"], changed["name"]["familyName"]) == ("Ann Brook", "Brook")
    assert changed["emails"][0]["value"] == "brook@example.com"
    assert changed[ENTERPRISE]["department"] == "Tax"
    assert changed[ARCHIVIST] == {"clearance": "internal"}
    assert "unknownAttribute" not in changed


def test_a_user_is_disabled_by_the_string_false(provider: Provider):
    user = entered(provider)

    response = provider.patch(f"/Users/{user}", {"op": "Replace", "path": "active", "value": "False"})

    assert (response.status_code, response.json()["active"]) == (200, False)
    assert provider.patch(f"/Users/{user}", {"op": "Replace", "path": "active", "value": "True"}).json()["active"] is True


def test_attributes_are_removed(provider: Provider):
    user = entered(provider)

    changed = provider.patch(
        f"/Users/{user}",
        {"op": "Remove", "path": "displayName"},
        {"op": "Remove", "path": 'emails[type eq "work"]'},
        {"op": "Remove", "path": f"{ENTERPRISE}:manager"},
        {"op": "Remove", "path": "name.formatted"},
    ).json()

    assert "displayName" not in changed
    assert "emails" not in changed
    assert changed[ENTERPRISE] == {"department": "Law"}
    assert changed["name"] == {"familyName": "Archer", "givenName": "Ann"}


def test_a_group_is_created_without_members_and_filled_in_batches(provider: Provider):
    response = provider.send("POST", "/Groups", NEW_GROUP)
    group = response.json()["id"]
    people = [provider.create_user(f"user{n}@example.com", f"ext-{n}") for n in range(6)]

    statuses = [
        provider.patch(f"/Groups/{group}", {"op": "Add", "path": "members", "value": [{"value": person} for person in batch]}).status_code
        for batch in (people[:3], people[3:])
    ]

    assert (response.status_code, statuses) == (201, [204, 204])
    assert provider.members(group) == set(people)


def test_members_are_removed_by_a_list_of_values_and_by_a_filter(provider: Provider):
    people = [provider.create_user(f"user{n}@example.com") for n in range(4)]
    group = provider.create_group("Board", "", *people)

    by_list = provider.patch(f"/Groups/{group}", {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": people[0]}]})
    by_filter = provider.patch(f"/Groups/{group}", {"op": "Remove", "path": f'members[value eq "{people[1]}"]'})

    assert (by_list.status_code, by_filter.status_code) == (204, 204)
    assert provider.members(group) == set(people[2:])


def test_a_group_is_looked_up_without_its_members_and_by_a_member(provider: Provider):
    person = provider.create_user("ann@example.com")
    group, other = provider.create_group("Board", "x1", person), provider.create_group("Staff", "x2")

    shown = provider.send("GET", f"/Groups/{group}?excludedAttributes=members").json()

    assert "members" not in shown
    assert provider.found("/Groups", 'displayName eq "BOARD"') == [group]
    assert provider.found("/Groups", f'id eq "{group}" and members eq "{person}"') == [group]
    assert provider.found("/Groups", f'id eq "{other}" and members[value eq "{person}"]') == []


def test_a_group_is_renamed_and_deleted(provider: Provider):
    group = provider.create_group("Board", "x1")

    renamed = provider.patch(f"/Groups/{group}", {"op": "Replace", "path": "displayName", "value": "Directors"})

    assert renamed.status_code == 204
    assert provider.send("GET", f"/Groups/{group}").json()["displayName"] == "Directors"
    assert provider.send("DELETE", f"/Groups/{group}").status_code == 204
    assert provider.send("GET", f"/Groups/{group}").status_code == 404
