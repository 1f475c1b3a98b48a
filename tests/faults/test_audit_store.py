"""R12: the audit log cannot be written. Every read is refused, and nothing of it is shown.

`ARCHIVIST_TEST_REQUESTS` sets how many requests each fault is asked (200; full: 1,000).
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, func, select, text

from retrieval.adapters.catalog.tables import audit
from retrieval.domain.audit import AuditAction, AuditEntry
from tests.api.conftest import World, api, bea, published, world  # noqa: F401 - fixtures of the API's tests

REQUESTS = int(os.environ.get("ARCHIVIST_TEST_REQUESTS", "200"))
CANARIES = ("abroad", "Nightingale", "merger", "receipts", "travel", "doc_", "cit_")


def no_records(world: World) -> None:  # noqa: F811
    with world.catalog.database.write() as connection:
        connection.execute(text("CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no more records'); END"))


def no_table(world: World) -> None:  # noqa: F811
    with world.catalog.database.write() as connection:
        connection.execute(text("DROP TABLE audit_documents"))
        connection.execute(text("DROP TABLE audit"))


def no_end(world: World) -> None:  # noqa: F811
    with world.catalog.database.write() as connection:
        connection.execute(text("DELETE FROM audit_head"))


def no_keys(world: World) -> None:  # noqa: F811
    with world.catalog.database.write() as connection:
        connection.execute(text("ALTER TABLE secrets RENAME TO lost"))


def read_only_disk(world: World) -> None:  # noqa: F811
    @event.listens_for(world.catalog.database.engine, "checkout")
    def close(connection, _record, _proxy) -> None:
        connection.execute("PRAGMA query_only = ON")


def requests(world: World, who: dict[str, str], client: TestClient) -> Iterator[Callable[[], object]]:  # noqa: F811
    document = world.document("nightingale.txt")
    question = {"query": "How many days may I work from abroad?"}
    yield lambda: client.post("/retrieve", json=question, headers=who)
    yield lambda: client.post("/answer", json={**question, "include_passages": True}, headers=who)
    yield lambda: client.get(f"/documents/{document}", headers=who)
    yield lambda: client.get("/documents/doc_absent", headers=who)
    yield lambda: client.get("/documents", headers=who)


@pytest.mark.permissions
@pytest.mark.parametrize("fault", [no_records, no_table, no_end, no_keys, read_only_disk])
def test_without_the_audit_log_everything_is_refused(
    api: TestClient,  # noqa: F811
    world: World,  # noqa: F811
    bea: dict[str, str],  # noqa: F811
    fault: Callable[[World], None],
):
    asked = list(requests(world, bea, api))
    fault(world)

    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda number: asked[number % len(asked)](), range(REQUESTS)))

    assert Counter(response.status_code for response in responses) == {503: REQUESTS}
    assert not [response for response in responses if any(canary in response.text for canary in CANARIES)]


@pytest.mark.permissions
def test_without_the_keys_of_the_audit_log_no_query_is_answered(api: TestClient, world: World, bea: dict[str, str]):  # noqa: F811
    world.catalog.audit.record(AuditEntry(AuditAction.RETRIEVE, "user:ann", query="makes the keys"))
    with world.catalog.database.write() as connection:
        connection.execute(text("DELETE FROM secrets"))

    responses = [ask() for ask in list(requests(world, bea, api))[:2]]

    assert [response.status_code for response in responses] == [503, 503]


@pytest.mark.permissions
def test_on_a_disk_that_fills_up_there_are_as_many_answers_as_records(api: TestClient, world: World, bea: dict[str, str]):  # noqa: F811
    """The last pages of the file have room for some records yet; each connection is told that the file may not grow."""
    asked = list(requests(world, bea, api))
    before = count(world)

    @event.listens_for(world.catalog.database.engine, "checkout")
    def fill(connection, _record, _proxy) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda number: asked[number % len(asked)](), range(REQUESTS)))

    refused = [response for response in responses if response.status_code == 503]
    assert len(refused) > REQUESTS / 2
    assert REQUESTS - len(refused) == count(world) - before
    assert not [response for response in refused if any(canary in response.text for canary in CANARIES)]


def count(world: World) -> int:  # noqa: F811
    with world.catalog.database.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(audit)) or 0)
