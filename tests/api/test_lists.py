"""GET /documents and GET /sources: lists hold what the principal may see, page by page, and nothing tells of the rest."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import EVERYONE, Principal, PrincipalKind
from retrieval.domain.roles import Role
from retrieval.domain.sources import SourceSpec, StalePermissions
from tests.api.conftest import FILES, World
from tests.story import Story, allow

MINE = allow(EVERYONE)
THEIRS = allow("group:board")


def titles(api: TestClient, who: dict[str, str], **parameters: object) -> list[str]:
    return [entry["title"] for page in pages(api, who, **parameters) for entry in page["documents"]]


def pages(api: TestClient, who: dict[str, str], **parameters: object) -> Iterator[dict[str, object]]:
    cursor = None
    while True:
        asked = parameters if cursor is None else {**parameters, "cursor": cursor}
        response = api.get("/documents", params=asked, headers=who)
        assert response.status_code == 200
        yield response.json()
        cursor = response.json()["next_cursor"]
        if cursor is None:
            return


def credential(world: World, principal: Principal, *roles: Role) -> dict[str, str]:
    key = ApiKey.generate()
    world.catalog.keys.add(StoredApiKey(key.id, key.secret_hash, principal, "", world.clock.at, roles=frozenset(roles)))
    return {"Authorization": f"Bearer {key.written}"}


@pytest.fixture
def dana(world: World) -> dict[str, str]:
    """Owns the handbook and reads what everyone reads."""
    return credential(world, Principal("dana"), Role.DATA_OWNER)


@pytest.mark.permissions
def test_a_list_is_for_who_may_read_what_is_on_it(api: TestClient, ann: dict[str, str], bea: dict[str, str]):
    assert api.get("/documents").status_code == 401
    assert sorted(titles(api, ann)) == ["expenses.txt", "travel.txt"]
    assert sorted(titles(api, bea)) == ["expenses.txt", "nightingale.txt", "travel.txt"]


@pytest.mark.permissions
def test_an_application_alone_is_shown_what_everyone_may_read(api: TestClient, world: World):
    world.catalog.directory.set_groups("app:intranet", ["group:board"])

    assert sorted(titles(api, credential(world, Principal("intranet", PrincipalKind.APP)))) == ["expenses.txt", "travel.txt"]


@pytest.mark.permissions
def test_a_list_is_what_it_would_be_without_the_hidden_documents(api: TestClient, world: World, ann: dict[str, str]):
    with_hidden = api.get("/documents", params={"limit": 2}, headers=ann)
    world.story.sync({key: file for key, file in FILES.items() if key != "nightingale.txt"})

    without = api.get("/documents", params={"limit": 2}, headers=ann)

    assert with_hidden.json()["next_cursor"] is None
    assert with_hidden.json()["documents"] == without.json()["documents"]
    assert set(with_hidden.json()) == {"request_id", "documents", "next_cursor", "consistency_token"}
    assert with_hidden.headers["content-length"] == without.headers["content-length"]


def test_pages_together_are_the_whole_list_in_one_order(api: TestClient, world: World, bea: dict[str, str]):
    world.story.sync({f"{n}.txt": (f"Sentence {n}.", MINE if n % 3 else THEIRS) for n in range(20)})

    paged = [len(page["documents"]) for page in pages(api, bea, limit=7)]

    assert paged == [7, 7, 6]
    assert titles(api, bea, limit=1) == titles(api, bea, limit=7) == titles(api, bea)


@pytest.mark.permissions
def test_a_page_follows_what_has_become_hidden_since(api: TestClient, world: World, ann: dict[str, str]):
    files = {f"{n}.txt": (f"Sentence {n}.", MINE) for n in range(6)}
    world.story.sync(files)
    first = api.get("/documents", params={"limit": 2}, headers=ann).json()
    following = titles(api, ann)[2:]
    run = world.story.start()
    world.story.record(run, {key: (text, THEIRS if key == following[0] else MINE) for key, (text, _) in files.items()})

    second = api.get("/documents", params={"limit": 2, "cursor": first["next_cursor"]}, headers=ann).json()

    assert [entry["title"] for entry in second["documents"]] == following[1:3]


@pytest.mark.permissions
def test_a_list_of_one_source_holds_only_that_and_an_unknown_source_is_an_empty_one(api: TestClient, world: World, ann: dict[str, str]):
    Story(world.catalog, source="wiki").sync({"wiki.txt": ("A page.", MINE)})
    Story(world.catalog, source="vault").sync({"vault.txt": ("A secret.", THEIRS)})

    listed = {source: titles(api, ann, source=source) for source in ("wiki", "vault", "nowhere")}

    assert listed == {"wiki": ["wiki.txt"], "vault": [], "nowhere": []}
    sizes = {api.get("/documents", params={"source": source}, headers=ann).headers["content-length"] for source in ("vault", "nowhere")}
    assert len(sizes) == 1


@pytest.mark.permissions
def test_a_stolen_cursor_is_refused_as_an_unknown_one_is(api: TestClient, ann: dict[str, str], bea: dict[str, str]):
    stolen = api.get("/documents", params={"limit": 1}, headers=bea).json()["next_cursor"]
    asked = [{"cursor": stolen}, {"cursor": "nothing"}, {"cursor": stolen[:-1] + "x"}, {"cursor": stolen, "source": "handbook"}]

    refused = [api.get("/documents", params=parameters, headers=ann) for parameters in asked]

    assert {response.status_code for response in refused} == {422}
    assert len({response.content.replace(response.json()["request_id"].encode(), b"") for response in refused}) == 1
    assert api.get("/documents", params={"cursor": stolen}, headers=bea).status_code == 200
    assert api.get("/documents", params={"cursor": stolen, "source": "handbook"}, headers=bea).status_code == 422


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        pytest.param({"limit": 0}, "limit", id="no entries"),
        pytest.param({"limit": 201}, "limit", id="too many entries"),
        pytest.param({"source": "No Source"}, "source", id="no source's id"),
        pytest.param({"offset": 3}, "offset", id="an unknown parameter"),
        pytest.param({"cursor": "x" * 3000}, "cursor", id="a long cursor"),
    ],
)
def test_a_wrong_parameter_of_a_list_is_named(api: TestClient, ann: dict[str, str], parameters: dict[str, object], field: str):
    response = api.get("/documents", params=parameters, headers=ann)

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.permissions
def test_a_principal_with_more_classes_than_a_statement_takes_parameters_is_shown_its_list(api: TestClient, world: World):
    many = {f"{n}.txt": (f"Sentence {n}.", allow("user:carl", deny=(f"user:x{n}",))) for n in range(300)}
    world.story.sync(many)
    carl = {"Authorization": f"Bearer {world.key('carl')}"}

    @event.listens_for(world.catalog.database.engine, "checkout")
    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 100)

    assert len(titles(api, carl, limit=200)) == 300


@pytest.mark.permissions
def test_sources_are_for_their_owners(api: TestClient, world: World, ann: dict[str, str], dana: dict[str, str]):
    other = credential(world, Principal("eve"), Role.DATA_OWNER)
    administrator = credential(world, Principal("dana"), Role.ADMIN)

    assert api.get("/sources").status_code == 401
    assert [api.get("/sources", headers=who).status_code for who in (ann, administrator)] == [403, 403]
    assert api.get("/sources", headers=other).json()["sources"] == []
    assert [source["id"] for source in api.get("/sources", headers=dana).json()["sources"]] == ["handbook"]


@pytest.mark.permissions
def test_an_owner_is_shown_counts_and_no_titles(api: TestClient, dana: dict[str, str]):
    response = api.get("/sources", headers=dana)

    source = response.json()["sources"][0]
    assert [source[count] for count in ("documents", "readable", "nobody_reads", "quarantined")] == [3, 3, 0, 0]
    assert not any(key in response.text for key in FILES)


def test_a_group_in_a_group_owns_for_its_members(api: TestClient, world: World):
    registered = world.catalog.sources.get("handbook").spec
    world.catalog.sources.register(replace(registered, owner="group:archive"), by="user:dana")
    world.catalog.directory.set_groups("user:fay", ["group:clerks"])
    world.catalog.directory.set_groups("group:clerks", ["group:archive"])
    fay = credential(world, Principal("fay"), Role.DATA_OWNER)
    before = [source["id"] for source in api.get("/sources", headers=fay).json()["sources"]]
    world.catalog.directory.set_groups("group:clerks", [])

    after = api.get("/sources", headers=fay).json()["sources"]

    assert (before, after) == (["handbook"], [])


@pytest.mark.permissions
def test_a_credential_for_some_sources_shows_only_those_of_its_owner(api: TestClient, world: World):
    Story(world.catalog, source="wiki")
    dana = credential(world, Principal("dana", sources=frozenset({"wiki"})), Role.DATA_OWNER)

    assert [source["id"] for source in api.get("/sources", headers=dana).json()["sources"]] == ["wiki"]


@pytest.mark.parametrize(("policy", "stale"), [(StalePermissions.WITHHOLD, "withheld"), (StalePermissions.WARN, "warned")])
def test_an_owner_sees_that_the_permissions_of_a_source_are_too_old(
    api: TestClient, world: World, dana: dict[str, str], policy: StalePermissions, stale: str
):
    spec: SourceSpec = replace(world.catalog.sources.get("handbook").spec, max_permission_age_hours=1, stale_permissions=policy)
    world.catalog.sources.register(spec, by="user:dana")
    before = api.get("/sources", headers=dana).json()["sources"][0]
    world.catalog.database.clock = world.clock
    world.clock.at = world.catalog.database.clock.at.replace(year=2999) + timedelta(hours=1)

    after = api.get("/sources", headers=dana).json()["sources"][0]

    assert (before["permissions_stale"], after["permissions_stale"]) == ("fresh", stale)
    assert before["permissions_read_at"] == after["permissions_read_at"] is not None


def test_sources_come_in_pages_too(api: TestClient, world: World, dana: dict[str, str]):
    for number in range(3):
        Story(world.catalog, source=f"wiki-{number}")
    first = api.get("/sources", params={"limit": 3}, headers=dana).json()

    second = api.get("/sources", params={"limit": 3, "cursor": first["next_cursor"]}, headers=dana).json()

    assert [source["id"] for source in first["sources"] + second["sources"]] == ["handbook", "wiki-0", "wiki-1", "wiki-2"]
    assert second["next_cursor"] is None
