"""How requests are read: bodies, patches, filters, pages, and the attributes that a client names."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.api.scim.conftest import ARCHIVIST, MEDIA_TYPE, PATCH, PROVIDER, USER, Provider, key_with

Refused = Callable[..., None]


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        pytest.param({"op": "move", "path": "title", "value": "x"}, "invalidSyntax", id="unknown op"),
        pytest.param({"op": "remove"}, "noTarget", id="remove without a path"),
        pytest.param({"op": "replace", "path": 'emails[type eq "home"].value', "value": "x"}, "noTarget", id="no such element"),
        pytest.param({"op": "replace", "value": "x"}, "invalidValue", id="no path, no object"),
        pytest.param({"op": "replace", "path": "emails[type eq", "value": "x"}, "invalidFilter", id="half a filter"),
        pytest.param({"op": "replace", "path": 'emails[type gt "x"]', "value": "x"}, "invalidFilter", id="another operator"),
        pytest.param({"op": "replace", "path": 'title[a eq "x"]', "value": "x"}, "invalidPath", id="elements of a text"),
        pytest.param({"op": "replace", "path": 7, "value": "x"}, "invalidPath", id="path is no text"),
        pytest.param({"op": "replace", "path": "title", "value": 7}, "invalidValue", id="number for a text"),
        pytest.param({"op": "replace", "path": "name", "value": "x"}, "invalidValue", id="text for an object"),
        pytest.param({"op": "replace", "path": "active", "value": None}, "mutability", id="active without a value"),
        pytest.param({"op": "remove", "path": "active"}, "mutability", id="active removed"),
        pytest.param({"op": "remove", "path": "userName"}, "invalidValue", id="name removed"),
        pytest.param({"op": "replace", "path": f"{ARCHIVIST}:clearance", "value": "cosmic"}, "invalidValue", id="clearance"),
        pytest.param({"op": "replace", "path": f"{ARCHIVIST}:regions", "value": ["E U"]}, "invalidValue", id="region"),
        pytest.param({"op": "replace", "path": "userName", "value": "x" * 300}, "invalidValue", id="long name"),
        pytest.param({"op": "replace", "path": "title", "value": "x" * 20_000}, "invalidValue", id="large attributes"),
        pytest.param({"op": "replace", "path": "emails", "value": [{"value": "x"}] * 101}, "invalidValue", id="many values"),
        pytest.param("x", "invalidSyntax", id="no object"),
    ],
)
def test_a_patch_that_cannot_be_done_says_why(provider: Provider, refused: Refused, operation: Any, kind: str):
    user = provider.create_user("ann", displayName="Ann")

    refused(provider.patch(f"/Users/{user}", operation), 400, kind)

    assert provider.send("GET", f"/Users/{user}").json()["meta"]["version"] == 'W/"1"'


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        pytest.param({"op": "remove", "path": "displayName"}, "mutability", id="name removed"),
        pytest.param({"op": "replace", "path": "displayName", "value": " "}, "invalidValue", id="blank name"),
        pytest.param({"op": "add", "path": "members", "value": [{"display": "x"}]}, "invalidValue", id="member without a value"),
        pytest.param({"op": "add", "path": 'members[value eq "x"]', "value": {}}, "invalidPath", id="chosen member added"),
        pytest.param({"op": "remove", "path": 'members[display eq "x"]'}, "invalidFilter", id="member chosen by name"),
        pytest.param({"op": "remove", "path": 'members[value eq "x" or value eq "y"]'}, "invalidFilter", id="or"),
        pytest.param({"op": "remove", "path": "members.value"}, "invalidPath", id="a part of every member"),
        pytest.param({"op": "remove", "path": 'members[value eq "x"].display'}, "invalidPath", id="a part of a member"),
    ],
)
def test_a_group_patch_that_cannot_be_done_says_why(provider: Provider, refused: Refused, operation: Any, kind: str):
    group = provider.create_group("Board", "", provider.create_user("ann"))

    refused(provider.patch(f"/Groups/{group}", operation), 400, kind)

    assert len(provider.members(group)) == 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="half"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"userName": NaN}', id="not a number"),
        pytest.param(b'{"userName": "\\ud800"}', id="half a character"),
        pytest.param(b'{"userName": "a\\u0000"}', id="a null"),
        pytest.param(b"\xff", id="bytes"),
        pytest.param(b'{"n": ' + b"9" * 5000 + b"}", id="a huge number"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_400(provider: Provider, refused: Refused, content: bytes):
    headers = {"Authorization": provider.authorization, "Content-Type": MEDIA_TYPE}

    refused(provider.client.post("/scim/v2/Users", content=content, headers=headers), 400, "invalidSyntax")


def test_both_media_types_of_json_are_taken_and_no_other(provider: Provider, refused: Refused):
    statuses = [
        provider.send("POST", "/Users", {"userName": f"user{n}"}, Content_Type=media_type).status_code
        for n, media_type in enumerate([MEDIA_TYPE, "application/json", "application/scim+json; charset=utf-8"])
    ]

    assert statuses == [201, 201, 201]
    refused(provider.send("POST", "/Users", {"userName": "zoe"}, Content_Type="text/plain"), 415)


def test_a_list_is_paged(provider: Provider, refused: Refused):
    people = {provider.create_user(f"user{n}") for n in range(7)}

    pages = [provider.send("GET", f"/Users?startIndex={start}&count=3").json() for start in (1, 4, 7, 10)]

    assert [page["itemsPerPage"] for page in pages] == [3, 3, 1, 0]
    assert {resource["id"] for page in pages for resource in page["Resources"]} == people
    assert {page["totalResults"] for page in pages} == {7}
    assert provider.send("GET", "/Users?startIndex=-5&count=-1").json()["itemsPerPage"] == 0
    for written in ("count=x", "startIndex=1.5", "count=" + "9" * 30):
        refused(provider.send("GET", f"/Users?{written}"), 400, "invalidValue")


@pytest.mark.parametrize("query", ["", "?count=999999"])
def test_no_page_is_larger_than_the_setting(world: World, query: str):
    there = replace(world, settings=world.settings.model_copy(update={"scim_page_entries": 2}))
    with TestClient(there.app()) as client:
        provider = Provider(client, key_with(there, PROVIDER, Role.ADMIN))
        for n in range(3):
            provider.create_user(f"user{n}")

        page = provider.send("GET", f"/Users{query}").json()

    assert (page["itemsPerPage"], page["totalResults"]) == (2, 3)


@pytest.mark.parametrize(
    "written",
    [
        "userName",
        "userName eq",
        "userName eq ann",
        'userName co "a"',
        'title eq "x"',
        'userName eq "a" or userName eq "b"',
        'userName eq "a" and userName eq "b"',
        'userName eq "a"]',
        "(" * 500,
        'not (userName eq "a")',
        'userName eq "a" and',
        "userName eq 7",
        "userName eq null",
        'userName eq "' + "x" * 3000 + '"',
        'urn:x:y:userName eq "a"',
    ],
)
def test_a_filter_that_is_not_served_is_an_invalid_filter(provider: Provider, refused: Refused, written: str):
    response = provider.client.get("/scim/v2/Users", params={"filter": written}, headers={"Authorization": provider.authorization})

    refused(response, 400, "invalidFilter")


@pytest.mark.parametrize(
    "written",
    [
        'userName eq "ann"',
        'USERNAME Eq "ANN"',
        '(userName eq "ann")',
        f'{USER}:userName eq "ann"',
        'userName eq "ann" and externalId eq "a1"',
        '(userName eq "ann") AND (externalId eq "a1")',
        'userName eq "\\u0061nn"',
    ],
)
def test_filters_are_understood_in_every_spelling(provider: Provider, written: str):
    user = provider.create_user("ann", "a1")
    provider.create_user("bob", "b1")

    assert provider.found("/Users", written) == [user]


@pytest.mark.parametrize(
    "written",
    ['userName eq ""', 'externalId eq ""', "userName eq true", 'id eq "a\\u0000"', 'id eq "\\ud800"', 'externalId eq "A1"', 'id eq "x"'],
)
def test_what_equals_nothing_finds_nobody(provider: Provider, written: str):
    provider.create_user("ann", "a1")

    assert provider.found("/Users", written) == []


def test_a_reader_gets_the_attributes_that_it_names(provider: Provider, refused: Refused):
    user = provider.create_user("ann", displayName="Ann", name={"givenName": "A", "familyName": "B"}, **{ARCHIVIST: {"regions": ["eu"]}})

    def keys(query: str) -> set[str]:
        return set(provider.send("GET", f"/Users/{user}?{query}").json())

    assert keys("attributes=userName") == {"schemas", "id", "userName"}
    assert keys(f"attributes={ARCHIVIST}:regions,displayName") == {"schemas", "id", "displayName", ARCHIVIST}
    assert "displayName" not in keys("excludedAttributes=displayName,meta")
    assert provider.send("GET", f"/Users/{user}?attributes=name.givenName").json()["name"] == {"givenName": "A"}
    assert provider.send("GET", f"/Users/{user}?excludedAttributes=name.givenName").json()["name"] == {"familyName": "B"}
    refused(provider.send("GET", f"/Users/{user}?attributes=id&excludedAttributes=id"), 400, "invalidValue")


def test_too_many_operations_are_refused(provider: Provider, refused: Refused, world: World):
    group = provider.create_group("Board")
    operations = [{"op": "replace", "path": "displayName", "value": "B"}] * (world.settings.scim_max_operations + 1)

    refused(provider.patch(f"/Groups/{group}", *operations), 400, "tooMany")
    refused(provider.patch(f"/Groups/{group}"), 400, "invalidSyntax")
    refused(provider.send("PATCH", f"/Groups/{group}", {"schemas": [PATCH]}), 400, "invalidSyntax")
