"""A write that is sent again under its Idempotency-Key has one effect and one answer, whoever asks how often and whatever went wrong."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from api.declared import requires
from api.dependencies import Caller
from api.idempotency import idempotent
from retrieval.adapters.catalog.tables import idempotency
from retrieval.domain.errors import CatalogUnavailable, Conflict
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import Principal
from retrieval.domain.roles import Role
from tests.api.conftest import World

KEYS, TWINS = int(os.environ.get("IDEMPOTENCY_KEYS", "100")), int(os.environ.get("IDEMPOTENCY_TWINS", "8"))


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    text: str


class Made(BaseModel):
    number: int
    secret: str


@dataclass
class Ledger:
    """What the writes did, behind routes that do it, fail after it, or take their time."""

    effects: list[str] = field(default_factory=list)
    failure: Exception | None = None
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def router(self) -> APIRouter:
        router = APIRouter(route_class=idempotent(requires(Role.ADMIN)))

        @router.post("/notes", status_code=201)
        def write(note: Note, caller: Caller) -> Made:
            return self._do(f"{caller.subject} {note.text}")

        @router.post("/other", status_code=201)
        def other(note: Note) -> Made:
            return self._do(f"other {note.text}")

        @router.delete("/notes/{id}", status_code=204)
        def remove(id: str) -> None:
            self._do(f"remove {id}")

        @router.get("/notes")
        def read() -> Made:
            return self._do("read")

        return router

    def _do(self, effect: str) -> Made:
        with self.lock:
            self.effects.append(effect)
            number = len(self.effects)
        time.sleep(self.seconds)
        if self.failure is not None:
            raise self.failure
        return Made(number=number, secret=f"nightingale {number}")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@contextmanager
def serving(world: World, ledger: Ledger, **settings: object) -> Iterator[TestClient]:
    world.settings = world.settings.model_copy(update=settings)
    world.catalog.database.clock = world.clock
    app: FastAPI = world.app()
    app.include_router(ledger.router())
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def api(world: World, ledger: Ledger) -> Iterator[TestClient]:
    with serving(world, ledger) as client:
        yield client


def administrator(world: World, name: str) -> dict[str, str]:
    key = ApiKey.generate()
    stored = StoredApiKey(key.id, key.secret_hash, Principal(name), "", world.clock.at, roles=frozenset({Role.ADMIN}))
    world.catalog.keys.add(stored)
    return {"Authorization": f"Bearer {key.written}"}


@pytest.fixture
def ada(world: World) -> dict[str, str]:
    return administrator(world, "ada")


def write(api: TestClient, who: dict[str, str], key: str, text: str = "a", path: str = "/notes") -> Response:
    return api.post(path, json={"text": text}, headers=who | {"Idempotency-Key": key})


def test_a_write_sent_again_is_answered_again_and_not_done_again(api: TestClient, ledger: Ledger, ada: dict[str, str]):
    first, second = write(api, ada, "k1"), write(api, ada, "k1")

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.status_code == 201
    assert first.headers["content-type"] == second.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert len(ledger.effects) == 1


def test_an_empty_answer_is_an_empty_answer_again(api: TestClient, ledger: Ledger, ada: dict[str, str]):
    answers = [api.delete("/notes/7", headers=ada | {"Idempotency-Key": "k1"}) for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert ledger.effects == ["remove 7"]


def test_without_a_key_every_write_is_one_and_a_read_takes_none(api: TestClient, ledger: Ledger, ada: dict[str, str]):
    for _ in range(2):
        api.post("/notes", json={"text": "a"}, headers=ada)
        api.get("/notes", headers=ada | {"Idempotency-Key": "k1"})

    assert len(ledger.effects) == 4


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("POST", "/notes", {"text": "b"}, id="another body"),
        pytest.param("POST", "/notes?x=1", {"text": "a"}, id="other parameters"),
    ],
)
def test_another_request_under_a_used_key_is_refused(  # noqa: PLR0917 - fixtures and cases
    api: TestClient, ledger: Ledger, ada: dict[str, str], method: str, path: str, body: dict[str, str]
):
    write(api, ada, "k1")

    response = api.request(method, path, json=body, headers=ada | {"Idempotency-Key": "k1"})

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"
    assert len(ledger.effects) == 1


def test_another_document_of_the_same_route_is_another_request(api: TestClient, ledger: Ledger, ada: dict[str, str]):
    statuses = [api.delete(f"/notes/{n}", headers=ada | {"Idempotency-Key": "k1"}).status_code for n in (1, 2)]

    assert statuses == [204, 422]
    assert ledger.effects == ["remove 1"]


@pytest.mark.permissions
def test_a_key_is_the_principals_own_and_the_routes_own(api: TestClient, world: World, ledger: Ledger, ada: dict[str, str]):
    bob = administrator(world, "bob")
    again = administrator(world, "ada")

    answers = [write(api, ada, "k1"), write(api, bob, "k1"), write(api, ada, "k1", path="/other"), write(api, again, "k1")]

    assert ledger.effects == ["user:ada a", "user:bob a", "other a"]
    assert [answer.json()["number"] for answer in answers] == [1, 2, 3, 1]


@pytest.mark.permissions
def test_who_may_no_longer_write_is_not_shown_what_was_answered(api: TestClient, world: World, ledger: Ledger, ada: dict[str, str]):
    write(api, ada, "k1")
    reader = {"Authorization": f"Bearer {world.key('ada')}"}
    world.catalog.keys.revoke(ada["Authorization"].split("_")[1], world.clock.at)

    answers = [write(api, reader, "k1"), write(api, ada, "k1"), write(api, {}, "k1")]

    assert [answer.status_code for answer in answers] == [403, 401, 401]
    assert not any("nightingale" in answer.text for answer in answers)


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        pytest.param(ZeroDivisionError("nightingale"), 500, id="a defect"),
        pytest.param(CatalogUnavailable("nightingale"), 503, id="not available"),
        pytest.param(Conflict("nightingale"), 409, id="a conflict"),
    ],
)
def test_a_failure_after_the_write_began_is_answered_again_too(
    api: TestClient, ledger: Ledger, ada: dict[str, str], failure: Exception, status: int
):
    ledger.failure = failure
    first = write(api, ada, "k1")
    ledger.failure = None

    second = write(api, ada, "k1")

    assert (first.status_code, first.content) == (status, second.content)
    assert second.status_code == status
    assert second.headers["content-type"] == "application/problem+json"
    assert "nightingale" not in first.text
    assert len(ledger.effects) == 1


def test_what_is_refused_for_its_form_takes_no_key(api: TestClient, ledger: Ledger, ada: dict[str, str]):
    headers = ada | {"Idempotency-Key": "k1", "Content-Type": "application/json"}
    refused = [api.post("/notes", content=body, headers=headers).status_code for body in (b'{"text": 1}', b"{", b'{"text": "a", "x": 1}')]

    accepted = write(api, ada, "k1").status_code

    assert (refused, accepted) == ([422, 400, 422], 201)


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "k\x7f", "é"])
def test_a_key_that_is_none_is_refused(api: TestClient, ledger: Ledger, ada: dict[str, str], key: str):
    response = api.post("/notes", json={"text": "a"}, headers={**ada, "Idempotency-Key": key.encode()})  # type: ignore[dict-item]

    assert response.status_code == 422
    assert response.json()["errors"][0]["limit"] == "1 to 255 characters"
    assert not ledger.effects


def test_a_key_is_forgotten_after_its_time(api: TestClient, world: World, ledger: Ledger, ada: dict[str, str]):
    write(api, ada, "k1")
    world.clock.at += timedelta(hours=23, minutes=59)
    write(api, ada, "k1")
    before = len(ledger.effects)
    world.clock.at += timedelta(minutes=1)

    write(api, ada, "k1")

    assert (before, len(ledger.effects)) == (1, 2)
    with world.catalog.database.read() as connection:
        assert len(connection.execute(select(idempotency)).all()) == 1


@pytest.mark.permissions
def test_neither_key_nor_answer_can_be_read_in_the_database(api: TestClient, world: World, ada: dict[str, str]):
    write(api, ada, "order-4711")

    with world.catalog.database.read() as connection:
        row = connection.execute(select(idempotency)).one()

    stored = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    assert row.status == 201
    assert not any(words in stored for words in (b"nightingale", b"secret", b"4711", b"ada"))


def test_a_write_that_was_too_late_is_answered_when_it_is_sent_again(world: World, ledger: Ledger, ada: dict[str, str]):
    ledger.seconds = 3
    with serving(world, ledger, request_deadline_seconds=1, idempotency_wait_seconds=0.1) as api:
        late, waiting = write(api, ada, "k1"), write(api, ada, "k1")
        time.sleep(3)
        again = write(api, ada, "k1")

    assert [answer.status_code for answer in (late, waiting, again)] == [503, 409, 201]
    assert waiting.headers["retry-after"] == "1"
    assert len(ledger.effects) == 1


def test_a_write_whose_process_was_killed_is_not_done_again(world: World, ledger: Ledger, ada: dict[str, str]):
    with serving(world, ledger, idempotency_wait_seconds=0.0) as api:
        store = world.catalog.idempotency
        complete, store.complete = store.complete, lambda *_, **__: None  # type: ignore[method-assign]
        write(api, ada, "k1")
        store.complete = complete  # type: ignore[method-assign]

        answers = [write(api, ada, "k1") for _ in range(3)]

    assert {answer.status_code for answer in answers} == {409}
    assert len(ledger.effects) == 1


@pytest.mark.slow
def test_of_many_twins_at_once_one_is_carried_out_and_all_are_answered_alike(world: World, ledger: Ledger, ada: dict[str, str]):
    """IDEMPOTENCY_KEYS=2000 IDEMPOTENCY_TWINS=50 is the whole form."""
    settings = {"idempotency_wait_seconds": 20.0, "rate_limit_requests": 0, "api_threads": 16}
    with serving(world, ledger, **settings) as api, ThreadPoolExecutor(TWINS) as pool:
        for n in range(KEYS):
            ledger.failure = ZeroDivisionError() if n % 10 == 0 else None
            answers = list(pool.map(lambda _, key=f"k{n}": write(api, ada, key), range(TWINS)))

            assert {(answer.status_code, answer.content) for answer in answers} == {(answers[0].status_code, answers[0].content)}
            assert len(ledger.effects) == n + 1
