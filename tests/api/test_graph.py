"""GET /graph/...: what surrounds an entity, for those who may read what mentions it, and a 404 for everybody else."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from retrieval.domain.graph import GlossaryTerm, entity_id
from tests.api.conftest import World
from tests.story import PUBLIC, allow

BOARD = allow("group:board")
FILES = {
    "pump": ("the pump raises ERR-1042. it was drawn by Ada Lovelace.", PUBLIC),
    "engine": ("the engine raises ERR-1042, also ERR-1043. it runs.", PUBLIC),
    "takeover": ("the takeover raises ERR-1042, also ERR-9999. it is named Nightingale.", BOARD),
}
ERR, HIDDEN, ABSENT = entity_id("ERR-1042"), entity_id("ERR-9999"), entity_id("nobody wrote this")


@pytest.fixture(autouse=True)
def graph(world: World) -> None:
    world.story.relate(world.story.sync(FILES))


def without_id(response: object) -> tuple[bytes, list[tuple[str, str]]]:
    headers = [(name, value) for name, value in response.headers.items() if name != "x-request-id"]  # type: ignore[attr-defined]
    return response.content.replace(response.json()["request_id"].encode(), b""), sorted(headers)  # type: ignore[attr-defined]


@pytest.mark.permissions
@pytest.mark.parametrize("path", ["/graph/entities/{id}", "/graph/neighbourhood?entity={id}", "/graph/neighbourhood?entity={id}&depth=3"])
def test_hidden_and_absent_entities_are_the_same_404(api: TestClient, ann: dict[str, str], bea: dict[str, str], path: str):
    assert api.get(path.format(id=ERR)).status_code == 401

    hidden, absent = (api.get(path.format(id=id_), headers=ann) for id_ in (HIDDEN, ABSENT))

    assert hidden.status_code == absent.status_code == 404
    assert without_id(hidden) == without_id(absent) == without_id(api.get("/nowhere", headers=ann))
    assert api.get(path.format(id=HIDDEN), headers=bea).status_code == 200
    assert api.get(path.format(id=ERR), headers=ann).status_code == 200


@pytest.mark.permissions
def test_an_id_that_cannot_be_one_is_the_same_404(api: TestClient, ann: dict[str, str]):
    assert without_id(api.get("/graph/entities/a b", headers=ann)) == without_id(api.get(f"/graph/entities/{ABSENT}", headers=ann))


def test_an_entity_is_shown_with_its_mentions_cited(api: TestClient, world: World, ann: dict[str, str]):
    shown = api.get(f"/graph/entities/{ERR}", headers=ann).json()

    assert shown["entity"] == {"id": ERR, "name": "ERR-1042", "kinds": ["identifier"], "passages": 2, "documents": 2}
    assert shown["names"] == [{"name": "ERR-1042", "passages": 2}]
    assert (shown["definitions"], shown["next_cursor"]) == ([], None)
    assert {mention["citation"]["document"] for mention in shown["mentions"]} == {world.document("pump"), world.document("engine")}
    for mention in shown["mentions"]:
        [written] = mention["written"]
        start = mention["citation"]["span"]["start"]
        assert mention["citation"]["quote"][written["span"]["start"] - start : written["span"]["end"] - start] == "ERR-1042"


def test_mentions_come_page_by_page_and_a_cursor_is_good_for_its_list_and_principal_only(
    api: TestClient, ann: dict[str, str], bea: dict[str, str]
):
    def pages(who: dict[str, str]) -> Iterator[str]:
        cursor = {}
        while True:
            page = api.get(f"/graph/entities/{ERR}", params={"limit": 1} | cursor, headers=who).json()
            yield from (mention["citation"]["passage"] for mention in page["mentions"])
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    whole = [each["citation"]["passage"] for each in api.get(f"/graph/entities/{ERR}", headers=bea).json()["mentions"]]
    cursor = api.get(f"/graph/entities/{ERR}", params={"limit": 1}, headers=ann).json()["next_cursor"]

    assert list(pages(bea)) == whole
    assert len(whole) == 3
    assert len(list(pages(ann))) == 2
    for path, who in ((f"/graph/entities/{ERR}", bea), (f"/graph/entities/{entity_id('pump')}", ann), ("/graph/entities?name=err", ann)):
        refused = api.get(path, params={"cursor": cursor} | ({"name": "err"} if "?" in path else {}), headers=who)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "cursor")


def test_entities_are_listed_by_the_beginning_of_their_names(api: TestClient, ann: dict[str, str], bea: dict[str, str]):
    def found(who: dict[str, str], **parameters: object) -> list[str]:
        names, cursor = [], {}
        while True:
            page = api.get("/graph/entities", params=parameters | cursor, headers=who).json()
            names += [entity["name"] for entity in page["entities"]]
            if page["next_cursor"] is None:
                return names
            cursor = {"cursor": page["next_cursor"]}

    assert found(ann, name="Err-", limit=1) == ["ERR-1042", "ERR-1043"]
    assert found(bea, name="Err-", limit=2) == ["ERR-1042", "ERR-1043", "ERR-9999"]
    assert found(ann, name="ERR-9999") == found(ann, name="takeover") == []


def test_a_neighbourhood_counts_readable_passages_only(api: TestClient, ann: dict[str, str], bea: dict[str, str]):
    def around(who: dict[str, str]) -> tuple[set[str], dict[str, object]]:
        shown = api.get("/graph/neighbourhood", params={"entity": ERR, "depth": 1}, headers=who).json()
        return {entity["name"] for entity in shown["entities"]}, shown

    mine, shown = around(ann)
    theirs, _ = around(bea)

    assert {"ERR-1042", "ERR-1043", "pump", "engine"} <= mine
    assert {"ERR-9999", "takeover"} <= theirs - mine
    passages = {passage["id"]: passage["document"] for passage in shown["passages"]}  # type: ignore[attr-defined]
    for relation in shown["relations"]:  # type: ignore[attr-defined]
        assert relation["weight"] >= len(relation["passages"]) > 0
        assert set(relation["passages"]) <= set(passages)


@pytest.mark.permissions
def test_what_is_revoked_is_not_in_the_next_answer(api: TestClient, world: World, bea: dict[str, str]):
    assert api.get(f"/graph/entities/{HIDDEN}", headers=bea).status_code == 200

    world.catalog.directory.set_groups("user:bea", [])

    assert api.get(f"/graph/entities/{HIDDEN}", headers=bea).status_code == 404
    assert api.get("/graph/neighbourhood", params={"entity": HIDDEN}, headers=bea).status_code == 404
    assert api.get("/graph/entities", params={"name": "ERR-9999"}, headers=bea).json()["entities"] == []


@pytest.mark.permissions
def test_a_definition_is_shown_to_those_who_read_the_term(api: TestClient, world: World, ann: dict[str, str], bea: dict[str, str]):
    terms = [GlossaryTerm("code nine", "code", ("ERR-9999",), "Secret."), GlossaryTerm("ERR-1043", "code", (), "Harmless.")]
    world.catalog.glossaries.apply("handbook", terms, by="user:dana")
    world.story.relate(world.story.sync(FILES))

    def defined(who: dict[str, str], name: str) -> object:
        response = api.get(f"/graph/entities/{entity_id(name)}", headers=who)
        return response.json()["definitions"] if response.status_code == 200 else response.status_code

    assert defined(ann, "code nine") == 404
    assert defined(bea, "code nine") == [{"source": "handbook", "name": "code nine", "kind": "code", "text": "Secret."}]
    assert defined(ann, "ERR-1043") == [{"source": "handbook", "name": "ERR-1043", "kind": "code", "text": "Harmless."}]


@pytest.mark.parametrize(
    ("path", "field", "limit"),
    [
        ("/graph/neighbourhood?entity=x&depth=4", "depth", "1 to 3"),
        ("/graph/neighbourhood?entity=x&depth=0", "depth", "at least 1"),
        ("/graph/neighbourhood?entity=x&limit=201", "limit", "1 to 200 entities"),
        ("/graph/neighbourhood?entity=a%20b", "entity", None),
        ("/graph/neighbourhood", "entity", None),
        ("/graph/entities?name=a", "name", "2 to 200 characters"),
        ("/graph/entities?name=%20a%20", "name", "2 to 200 characters"),
        (f"/graph/entities?name={'a' * 201}", "name", "2 to 200 characters"),
        ("/graph/entities?name=ab&limit=201", "limit", "200 entries"),
        ("/graph/entities", "name", None),
    ],
)
def test_what_breaks_a_limit_is_named_with_it(api: TestClient, ann: dict[str, str], path: str, field: str, limit: str | None):
    refused = api.get(path, headers=ann)

    assert refused.status_code == 422
    [problem] = refused.json()["errors"]
    assert problem["field"] == field
    assert limit is None or problem["limit"] == limit


def test_what_is_shown_is_recorded_before_it_is_shown(api: TestClient, world: World, ann: dict[str, str]):
    for path in (f"/graph/entities/{ERR}", f"/graph/neighbourhood?entity={ERR}", "/graph/entities?name=err", f"/graph/entities/{HIDDEN}"):
        api.get(path, headers=ann)

    with world.catalog.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT record FROM audit WHERE action = 'graph.read' ORDER BY seq").scalars().all()
    entity, neighbourhood, named, refused = rows
    assert world.document("pump") in entity
    assert world.document("engine") in neighbourhood
    assert ERR in named
    assert '"decision":"denied"' in refused
    assert HIDDEN not in refused
    assert world.document("takeover") not in "".join(rows)
    assert not [words for words in ("ERR-", "Lovelace", "raises") if words in "".join(rows)]


def test_nothing_is_shown_that_cannot_be_recorded(api: TestClient, world: World, ann: dict[str, str]):
    with world.catalog.database.write() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")

    for path in (f"/graph/entities/{ERR}", f"/graph/neighbourhood?entity={ERR}", "/graph/entities?name=err"):
        refused = api.get(path, headers=ann)
        assert refused.status_code == 503
        assert "ERR-" not in refused.text
