"""Every read leaves a record before anything of it leaves, and only auditors see the log."""

import json
import logging
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text

from retrieval.adapters.catalog.audit.checkpoints import Checkpoints
from retrieval.adapters.catalog.audit.signing import signing_key
from retrieval.adapters.catalog.tables import audit
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.roles import Role
from tests.api.conftest import FILES, World
from tests.story import allow

QUESTION = {"query": "How many days may I work from abroad?"}


def credential(world: World, principal: Principal, *roles: Role) -> dict[str, str]:
    key = ApiKey.generate()
    world.catalog.keys.add(StoredApiKey(key.id, key.secret_hash, principal, "", world.clock.at, roles=frozenset(roles)))
    return {"Authorization": f"Bearer {key.written}"}


@pytest.fixture
def eve(world: World) -> dict[str, str]:
    """Audits, and reads no content."""
    return credential(world, Principal("eve"), Role.AUDITOR)


def records(world: World, *actions: str) -> list[dict]:
    with world.catalog.database.read() as connection:
        said = [json.loads(record) for record in connection.scalars(select(audit.c.record).order_by(audit.c.seq))]
    return [record for record in said if not actions or record["action"] in actions]


def documents(record: dict) -> set[str]:
    return {named["document"] for named in record.get("documents", ())}


@pytest.mark.permissions
@pytest.mark.parametrize("role", [None, *(role for role in Role if role is not Role.AUDITOR)])
def test_only_auditors_see_the_log(api: TestClient, world: World, role: Role | None):
    kind = PrincipalKind.APP if role is Role.APP else PrincipalKind.USER
    who = {} if role is None else credential(world, Principal("mallory", kind), role)

    response = api.get("/audit", headers=who)

    assert response.status_code == (401 if role is None else 403)
    assert "records" not in response.json()


@pytest.mark.permissions
def test_an_auditor_reads_no_content(api: TestClient, eve: dict[str, str], world: World):
    assert api.post("/retrieve", json=QUESTION, headers=eve).status_code == 403
    assert api.get(f"/documents/{world.document('travel.txt')}", headers=eve).status_code == 403


def test_a_retrieval_is_recorded_with_exactly_what_it_showed(api: TestClient, world: World, ann: dict[str, str]):
    response = api.post("/retrieve", json=QUESTION, headers=ann)

    [record] = records(world, "retrieve")
    shown = {hit["passage"]["id"] for hit in response.json()["hits"]}
    assert {passage["id"] for named in record["documents"] for passage in named["passages"]} == shown != set()
    assert documents(record) == {hit["citation"]["document"] for hit in response.json()["hits"]}
    assert record["request_id"] == response.headers["X-Request-Id"]
    assert (record["actor"], record["decision"], record["model"]) == ("user:ann", "allowed", "fake@1")
    assert record["revision"] == record["index_revision"] == world.catalog.revision()


def test_an_answer_is_recorded_with_what_it_quotes_unless_it_shows_all(api: TestClient, world: World, bea: dict[str, str]):
    quoting = api.post("/answer", json=QUESTION, headers=bea).json()
    showing = api.post("/answer", json={**QUESTION, "include_passages": True}, headers=bea).json()

    quoted, shown = records(world, "answer")
    assert quoted["outcome"] == shown["outcome"] == "answered"
    assert documents(quoted) == {citation["document"] for citation in quoting["citations"]}
    assert documents(shown) == {hit["citation"]["document"] for hit in showing["passages"]}
    assert documents(quoted) < documents(shown)


def test_an_abstention_shows_nothing_and_is_recorded(api: TestClient, world: World, ann: dict[str, str]):
    api.post("/answer", json={"query": "xylophone zebra"}, headers=ann)

    [record] = records(world, "answer")
    assert (record["outcome"], documents(record)) == ("abstained", set())


def test_a_document_and_a_list_are_recorded(api: TestClient, world: World, ann: dict[str, str]):
    api.get(f"/documents/{world.document('travel.txt')}", headers=ann)
    api.get("/documents", headers=ann)

    [read] = records(world, "document.read")
    [listed] = records(world, "list.read")
    assert documents(read) == {world.document("travel.txt")}
    assert documents(listed) == {world.document("travel.txt"), world.document("expenses.txt")}


@pytest.mark.permissions
def test_a_hidden_and_an_absent_document_leave_the_same_kind_of_record(api: TestClient, world: World, ann: dict[str, str]):
    hidden = world.document("nightingale.txt")
    assert api.get(f"/documents/{hidden}", headers=ann).status_code == 404
    assert api.get("/documents/doc_absent", headers=ann).status_code == 404
    assert api.get(f"/documents/{hidden}", headers=ann).status_code == 404
    assert api.get("/documents/not%20an%20id", headers=ann).status_code == 404

    first, absent, again = records(world, "document.read")
    assert first.keys() == absent.keys()
    assert {record["decision"] for record in (first, absent, again)} == {"denied"}
    assert first["asked_hmac"] == again["asked_hmac"] != absent["asked_hmac"]
    assert hidden not in json.dumps(first)


def test_another_version_than_the_current_one_is_not_recorded_as_shown(api: TestClient, world: World, ann: dict[str, str]):
    response = api.get(f"/documents/{world.document('travel.txt')}", params={"version": "ver_old"}, headers=ann)

    [record] = records(world, "document.read")
    assert (response.status_code, record["decision"], documents(record)) == (404, "denied", set())


def test_a_missing_role_is_recorded_and_an_unknown_caller_is_not(api: TestClient, world: World, ann: dict[str, str]):
    before = len(records(world))

    api.get("/audit")
    api.get("/audit", headers={"Authorization": "Bearer ak_nobody"})
    refused = api.get("/audit", headers=ann)

    new = records(world)[before:]
    assert [(record["action"], record["actor"], record["decision"]) for record in new] == [("role.refused", "user:ann", "denied")]
    assert new[0]["details"] == {"method": "GET", "route": "/audit"}
    assert new[0]["request_id"] == refused.json()["request_id"]


@pytest.mark.permissions
def test_on_behalf_names_the_application_and_the_person(api: TestClient, world: World, ann: dict[str, str], eve: dict[str, str]):
    intranet = credential(world, Principal("intranet", PrincipalKind.APP), Role.APP)

    response = api.post("/retrieve", json=QUESTION, headers={**intranet, "X-On-Behalf-Of": ann["Authorization"].removeprefix("Bearer ")})

    assert response.status_code == 200
    [record] = records(world, "retrieve")
    assert (record["actor"], record["act_for"]) == ("app:intranet", "user:ann")
    for actor in ("app:intranet", "user:ann"):
        page = api.get("/audit", params={"actor": actor, "shown": True}, headers=eve).json()
        assert [found["seq"] for found in page["records"]] == [record["seq"]]


@pytest.mark.permissions
def test_what_cannot_be_recorded_is_not_shown(api: TestClient, world: World, bea: dict[str, str], eve: dict[str, str]):
    document = world.document("nightingale.txt")
    with world.catalog.database.write() as connection:
        connection.execute(text("CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no more records'); END"))

    responses = [
        api.post("/retrieve", json=QUESTION, headers=bea),
        api.post("/answer", json={**QUESTION, "include_passages": True}, headers=bea),
        api.get(f"/documents/{document}", headers=bea),
        api.get("/documents/doc_absent", headers=bea),
        api.get("/documents", headers=bea),
        api.get("/audit", headers=eve),
        api.get("/audit", headers=bea),
    ]

    assert [response.status_code for response in responses] == [503] * 7
    assert {response.json()["type"] for response in responses} == {"urn:archivist:problem:catalog-unavailable"}
    for response in responses:
        assert "abroad" not in response.text
        assert document not in response.text


def test_the_log_is_searched_by_person_document_action_and_time(
    api: TestClient, world: World, ann: dict[str, str], bea: dict[str, str], eve: dict[str, str]
):
    document = world.document("nightingale.txt")
    api.post("/retrieve", json=QUESTION, headers=ann)
    api.post("/retrieve", json=QUESTION, headers=bea)
    api.get(f"/documents/{document}", headers=bea)

    def found(**wanted: object) -> list[tuple[str, str]]:
        response = api.get("/audit", params=wanted, headers=eve)
        assert response.status_code == 200, response.text
        return [(record["actor"], record["action"]) for record in response.json()["records"]]

    assert found(document=document, shown=True) == [("user:bea", "document.read"), ("user:bea", "retrieve")]
    assert found(actor="user:ann") == [("user:ann", "retrieve")]
    assert found(action="retrieve") == [("user:bea", "retrieve"), ("user:ann", "retrieve")]
    assert found(action="retrieve", to="2020-01-01T00:00:00Z") == []
    assert len(found(action="retrieve", **{"from": "2020-01-01T00:00:00Z"})) == 2


def test_the_log_is_paged_newest_first_and_ends(api: TestClient, world: World, ann: dict[str, str], eve: dict[str, str]):
    for _ in range(5):
        api.post("/retrieve", json=QUESTION, headers=ann)
    newest = records(world)[-1]["seq"]

    pages, cursor = [], None
    while True:
        response = api.get("/audit", params={"limit": 4} if cursor is None else {"limit": 4, "cursor": cursor}, headers=eve).json()
        pages += [record["seq"] for record in response["records"]]
        cursor = response["next_cursor"]
        if cursor is None:
            break

    assert pages == list(range(newest, 0, -1))


@pytest.mark.permissions
def test_a_cursor_is_good_for_its_list_alone(api: TestClient, world: World, ann: dict[str, str], eve: dict[str, str]):
    for _ in range(3):
        api.post("/retrieve", json=QUESTION, headers=ann)
    cursor = api.get("/audit", params={"limit": 1}, headers=eve).json()["next_cursor"]
    other = credential(world, Principal("oscar"), Role.AUDITOR)

    assert api.get("/audit", params={"cursor": cursor, "actor": "user:ann"}, headers=eve).status_code == 422
    assert api.get("/audit", params={"cursor": cursor}, headers=other).status_code == 422
    assert api.get("/audit", params={"cursor": cursor}, headers=eve).status_code == 200


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param({"actor": "ann"}, id="no subject"),
        pytest.param({"document": "no id"}, id="no id"),
        pytest.param({"action": "dance"}, id="no action"),
        pytest.param({"from": "yesterday"}, id="no time"),
        pytest.param({"from": "2026-01-01T00:00:00"}, id="a time without its zone"),
        pytest.param({"decrypt": "true"}, id="decryption"),
        pytest.param({"limit": "0"}, id="no records"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_name(api: TestClient, eve: dict[str, str], wanted: dict[str, str]):
    response = api.get("/audit", params=wanted, headers=eve)

    assert response.status_code == 422
    assert next(iter(wanted)) in response.text


def test_reading_the_log_is_recorded(api: TestClient, world: World, eve: dict[str, str]):
    response = api.get("/audit", params={"actor": "user:ann"}, headers=eve)

    [record] = records(world, "audit.read")
    assert (record["actor"], record["details"]["person"]) == ("user:eve", "user:ann")
    assert record["request_id"] == response.json()["request_id"]


@pytest.mark.permissions
def test_no_title_text_path_or_query_gets_into_the_log_its_checkpoints_or_the_logs(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    """C26: words are planted everywhere a person may write one, and every way into the log is taken."""
    planted = ("Quetzalcoatl", "Popocatepetl", "Tenochtitlan", "Xochimilco")
    body, name, query, label = planted
    world.story.sync({**FILES, f"{name}/{name}.txt": (f"The {body} merger is a takeover of 30 days.", allow("group:board"))})
    world.story.sync({**FILES, f"{name}/{name}.txt": (f"The {body} merger is a takeover of 30 days.", allow("group:board", "user:cy"))})
    key = ApiKey.generate()
    world.catalog.keys.add(StoredApiKey(key.id, key.secret_hash, Principal("zoe"), label, world.clock.at))
    caplog.set_level(logging.INFO)
    with TestClient(world.app(), raise_server_exceptions=False) as api:
        bea = {"Authorization": f"Bearer {world.key('bea', 'group:board')}"}
        eve = credential(world, Principal("eve"), Role.AUDITOR)
        hits = api.post("/retrieve", json={"query": f"{query} {body} merger"}, headers=bea).json()["hits"]
        api.post("/answer", json={"query": f"{query} {body} takeover", "include_passages": True}, headers=bea)
        api.post("/retrieve", json={"query": query, "sources": [query.lower()]}, headers=bea)
        api.get(f"/documents/{world.document(f'{name}/{name}.txt')}", headers=bea)
        api.get("/documents", headers=bea)
        api.get(f"/documents/{query}", headers=bea)
        api.get(f"/documents/{query}/{name}", headers=bea)
        api.post(f"/{query}", json={query: query}, headers=bea)
        api.get("/audit", params={"actor": "user:bea"}, headers=bea)
        seen_by_auditor = api.get("/audit", headers=eve).text
    world.story.sync(FILES)
    world.catalog.publishing.retire("handbook", by="user:dana")
    checkpoints = tmp_path / "audit.jsonl"
    Checkpoints(world.catalog.database, checkpoints, signing_key(tmp_path / "audit.pem")).add()
    with world.catalog.database.read() as connection:
        rows = repr(connection.execute(text("SELECT * FROM audit")).all()) + repr(
            connection.execute(text("SELECT * FROM audit_documents")).all()
        )
    written = capfd.readouterr()
    libraries = [line for line in caplog.text.splitlines() if "httpx2" not in line]  # which is the test's own client
    logged = "\n".join([written.out, written.err, *libraries])

    assert any(body in hit["passage"]["text"] for hit in hits)
    assert {"retrieve", "answer", "document.read", "list.read", "role.refused", "documents.withdrawn"} <= {
        r["action"] for r in records(world)
    }
    assert "route=/retrieve" in logged
    for kept in (rows, checkpoints.read_text(), logged, seen_by_auditor):
        for word in (*planted, "Nightingale", "nightingale", "takeover", "travel.txt"):
            assert word.lower() not in kept.lower()
