"""Whatever a client sends, the answer is a refusal or a change, never a defect, and a refusal changes nothing."""

import json
import random
import string
from typing import Any

from tests.api.conftest import World
from tests.api.scim.conftest import ARCHIVIST, ENTERPRISE, GROUP, PATCH, USER, Provider

TRIALS = 500
NAMES = [
    *("userName", "externalId", "active", "name", "name.givenName", "emails", "emails.value", "members", "members.value", "displayName"),
    *("id", "schemas", "meta", "title", "roles", "addresses", "password", "x.y.z", "", ".", "[", "$ref", "urn:x:y", USER, ENTERPRISE),
    *(ARCHIVIST, f"{ARCHIVIST}:clearance", f"{ARCHIVIST}:regions", f"{ENTERPRISE}:manager", f"{ENTERPRISE}:manager.value"),
    *('emails[type eq "work"]', 'emails[type eq "work"].value', "emails[primary eq true].value", 'members[value eq "x"]', "members[", "[]"),
    *('name[a eq "b"]', f'{ARCHIVIST}:regions[value eq "eu"]', 'emails[type eq "a" and value eq "b"]', "ü", "a b", "\x00", "emails[]"),
]
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**30, "", "x", "True", "eu", "public", "ann", " ", "\x00", "\u202e", "x" * 400, [], {}, [None]),
    *([[]], [{}], ["eu"], [{"value": "x"}], [{"value": 7}], {"value": "x"}, {"givenName": 1}, {"regions": [7]}, {"clearance": "x"}),
    *({"clearance": None}, {"regions": []}, {"regions": ["eu", "us"]}, [{"type": "work", "primary": "True"}], {"a": {"b": {"c": []}}}),
]
OPS: list[Any] = ["add", "Add", "replace", "Replace", "remove", "REMOVE", "move", None, 7, [], {}]


def test_no_nonsense_is_a_defect(provider: Provider, world: World):
    seed = random.randrange(10**9)
    print("seed", seed)
    chance = random.Random(seed)
    user, group = provider.create_user("ann", "ann"), provider.create_group("Board", "board")
    statuses: dict[int, int] = {}

    for _ in range(TRIALS):
        path = chance.choice([f"/Users/{user}", f"/Groups/{group}", "/Users", "/Groups"])
        method = chance.choice(["PATCH", "PATCH", "PUT"]) if path.count("/") == 2 else "POST"
        body = _patch(chance) if method == "PATCH" else _resource(chance)
        content = json.dumps(body)
        before = world.catalog.revision()
        headers = {"Authorization": provider.authorization, "Content-Type": "application/scim+json"}
        response = provider.client.request(method, f"/scim/v2{path}", content=content, headers=headers)

        assert response.status_code in {200, 201, 204, 400, 404, 409, 412}, f"{method} {path} {content}: {response.status_code}"
        assert response.status_code < 300 or world.catalog.revision() == before
        statuses[response.status_code] = statuses.get(response.status_code, 0) + 1

    print(statuses)
    assert statuses[200] + statuses[204] >= TRIALS / 20
    assert world.catalog.directory.find("user:ann").external_id == "ann"


def test_no_filter_is_a_defect(provider: Provider):
    seed = random.randrange(10**9)
    print("seed", seed)
    chance = random.Random(seed)
    parts = ["userName", "eq", '"x"', "and", "or", "(", ")", "[", "]", "members", ".value", '"', "\\", "true", USER + ":", " ", "\x00", "ü"]
    for _ in range(TRIALS):
        written = " ".join(chance.choices(parts, k=chance.randrange(8))) or "".join(chance.choices(string.printable, k=8))
        headers = {"Authorization": provider.authorization}

        response = provider.client.get(f"/scim/v2/{chance.choice(['Users', 'Groups'])}", params={"filter": written}, headers=headers)

        assert response.status_code in {200, 400}, f"{written!r}: {response.status_code}"


def _patch(chance: random.Random) -> Any:
    operations = [_operation(chance) for _ in range(chance.choice([0, 1, 1, 1, 2, 5]))]
    return chance.choice([{"schemas": [PATCH], "Operations": operations}, {"operations": operations}, {"Operations": {}}, operations])


def _operation(chance: random.Random) -> Any:
    operation = {"op": chance.choice(OPS), "path": chance.choice(NAMES), "value": _value(chance)}
    for name in chance.sample(list(operation), chance.choice([0, 0, 1])):
        del operation[name]
    return chance.choice([operation, operation, operation, operation, chance.choice(VALUES)])


def _resource(chance: random.Random) -> Any:
    named = {name: _value(chance) for name in chance.sample(NAMES, chance.randrange(5))}
    return {"schemas": [USER, GROUP], "userName": "ann", "displayName": "Board", **named}


def _value(chance: random.Random) -> Any:
    if chance.random() < 0.2:
        return {name: chance.choice(VALUES) for name in chance.sample(NAMES, 2)}
    return chance.choice(VALUES)
