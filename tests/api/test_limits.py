"""Limits on how much one principal asks, and on the head and the size of a request."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import anyio
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from limits.storage import MemoryStorage
from starlette.requests import Request
from starlette.types import Message

from api.limits import Quota, Rates, Slots, client_network
from retrieval.domain.errors import InvalidInput, TooManyRequests
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import Principal, PrincipalKind
from tests.api.conftest import World

QUERY = {"query": "travel"}


@contextmanager
def serving(world: World, **settings: object) -> Iterator[TestClient]:
    world.settings = world.settings.model_copy(update=settings)
    with TestClient(world.app(), raise_server_exceptions=False) as client:
        yield client


def ask(api: TestClient, who: dict[str, str]) -> Response:
    return api.post("/retrieve", json=QUERY, headers=who)


def without_request_id(response: Response) -> bytes:
    return response.content.replace(response.json()["request_id"].encode(), b"")


@pytest.fixture
def intranet(world: World) -> dict[str, str]:
    key = ApiKey.generate()
    principal = Principal("intranet", PrincipalKind.APP)
    world.catalog.keys.add(StoredApiKey(key.id, key.secret_hash, principal, "", world.clock.at))
    return {"Authorization": f"Bearer {key.written}"}


def test_who_asks_more_than_its_share_is_told_when_to_come_again(world: World, ann: dict[str, str]):
    with serving(world, rate_limit_requests=3, rate_limit_seconds=1) as api:
        statuses = [ask(api, ann).status_code for _ in range(3)]
        refused = ask(api, ann)
        time.sleep(int(refused.headers["retry-after"]) + 0.05)
        after = ask(api, ann).status_code

    assert statuses == [200, 200, 200]
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:archivist:problem:too-many-requests"
    assert after == 200


@pytest.mark.permissions
def test_one_principals_limit_is_nobody_elses_and_depends_on_nothing_hidden(world: World, ann: dict[str, str], bea: dict[str, str]):
    hidden = f"/documents/{world.document('nightingale.txt')}"
    absent = f"/documents/{world.document('no such key')}"
    with serving(world, rate_limit_requests=4) as api:
        mine = [api.get(path, headers=ann) for path in (hidden, absent, hidden, absent, hidden, absent)]
        theirs = ask(api, bea)

    assert [response.status_code for response in mine] == [404, 404, 404, 404, 429, 429]
    assert without_request_id(mine[4]) == without_request_id(mine[5])
    assert theirs.status_code == 200
    assert not [name for name in theirs.headers if "limit" in name or "retry" in name]


def test_a_request_on_behalf_counts_for_the_user_and_for_the_application(world: World, ann: dict[str, str], intranet: dict[str, str]):
    on_behalf = intranet | {"X-On-Behalf-Of": ann["Authorization"].removeprefix("Bearer ")}
    with serving(world, rate_limit_requests=2) as api:
        by_user = [ask(api, who).status_code for who in (on_behalf, ann, on_behalf, ann, intranet)]
    with serving(world, rate_limit_requests=0, rate_limit_application_requests=2) as api:
        by_application = [ask(api, who).status_code for who in (on_behalf, intranet, on_behalf, ann)]

    assert by_user == [200, 200, 429, 429, 200]
    assert by_application == [200, 200, 429, 200]


def test_who_fails_too_often_is_told_to_wait_and_whoever_shares_the_address_is_not(world: World, ann: dict[str, str]):
    with serving(world, rate_limit_failed_authentications=3, rate_limit_seconds=1) as api:
        statuses = [ask(api, who).status_code for who in (ann, {}, {}, {"Authorization": "Bearer ak_x"}, {}, ann)]

    assert statuses == [200, 401, 401, 401, 429, 200]


@pytest.mark.parametrize(
    ("host", "network"),
    [
        pytest.param("192.0.2.7", "192.0.2.7", id="IPv4"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", id="IPv6"),
        pytest.param("::ffff:192.0.2.7", "::ffff:192.0.2.7", id="IPv4 as IPv6"),
        pytest.param("testclient", "testclient", id="no address"),
    ],
)
def test_the_many_addresses_of_one_client_are_one(host: str, network: str):
    assert client_network(Request({"type": "http", "client": (host, 1), "headers": [(b"x-forwarded-for", b"1.1.1.1")]})) == network


def test_zero_is_no_limit(world: World, ann: dict[str, str]):
    off = ("requests", "application_requests", "failed_authentications", "concurrent", "application_concurrent")
    with serving(world, **{f"rate_limit_{name}": 0 for name in off}) as api:
        statuses = {ask(api, who).status_code for who in (ann, {}) for _ in range(50)}

    assert statuses == {200, 401}


def test_a_quota_is_never_exceeded_however_many_ask_at_once():
    rates, quota = Rates("memory://"), Quota("principal", 50, 60)
    taken = []

    def take() -> None:
        for _ in range(20):
            try:
                rates.take({"user:ann": quota})
            except TooManyRequests:
                continue
            taken.append(1)

    threads = [threading.Thread(target=take) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == 50


class DownStorage(MemoryStorage):
    """Another machine's storage, when that machine is gone. The library finds it by its scheme."""

    STORAGE_SCHEME: ClassVar[list[str]] = ["down"]

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        raise ValueError(key, limit, expiry)


def test_a_storage_that_does_not_answer_is_a_503_and_not_an_open_door(world: World, ann: dict[str, str]):
    with serving(world, rate_limit_storage="down://") as api:
        response = ask(api, ann)

    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"


def test_an_unknown_storage_is_refused_when_the_application_starts(world: World):
    world.settings = world.settings.model_copy(update={"rate_limit_storage": "nowhere://"})

    with pytest.raises(InvalidInput, match="rate_limit_storage"):
        world.app()


def test_slots_are_given_back_and_all_or_none_is_taken():
    slots = Slots()
    give_back = slots.take({"user:ann": 1, "app:intranet": 5})
    with pytest.raises(TooManyRequests):
        slots.take({"app:intranet": 5, "user:ann": 1})
    give_back()

    again = [slots.take({"user:ann": 1}), slots.take({"app:intranet": 1})]

    for give_back in again:
        give_back()
    assert not slots._taken


def test_requests_at_once_are_limited_for_each_principal(world: World, ann: dict[str, str], bea: dict[str, str]):
    inside, go_on = threading.Semaphore(0), threading.Event()
    embed = world.index.embedder.embed_query

    def slowly(text: str) -> object:
        if text == "slow":
            inside.release()
            go_on.wait(5)
        return embed(text)

    world.index.embedder.embed_query = slowly  # type: ignore[method-assign]
    answers: list[int] = []
    with serving(world, rate_limit_concurrent=2) as api:
        slow = [
            threading.Thread(target=lambda: answers.append(api.post("/retrieve", json={"query": "slow"}, headers=ann).status_code))
            for _ in range(2)
        ]
        for thread in slow:
            thread.start()
            assert inside.acquire(timeout=5)
        third, other = ask(api, ann), ask(api, bea)
        go_on.set()
        for thread in slow:
            thread.join()
        after = ask(api, ann).status_code

    assert (third.status_code, third.headers["retry-after"]) == (429, "1")
    assert other.status_code == 200
    assert answers == [200, 200]
    assert after == 200


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        pytest.param({f"X-{n}": "1" for n in range(101)}, "/healthz", 431, id="many headers"),
        pytest.param({"X-Large": "x" * 65_536}, "/healthz", 431, id="a large header"),
        pytest.param({}, "/healthz?" + "x" * 8_192, 414, id="long parameters"),
        pytest.param({}, "/" + "x" * 8_192, 414, id="a long path"),
    ],
)
def test_a_head_that_is_too_large_is_refused(api: TestClient, headers: dict[str, str], path: str, status: int):
    response = api.get(path, headers=headers)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"][0]["limit"]


def test_a_query_is_limited_in_bytes_too(api: TestClient, ann: dict[str, str], world: World):
    world.settings = world.settings.model_copy(update={"query_max_bytes": 30})
    with TestClient(world.app()) as client:
        statuses = [client.post("/retrieve", json={"query": text}, headers=ann).status_code for text in ("a" * 30, "ü" * 15, "ü" * 16)]

    assert statuses == [200, 200, 422]


def test_a_body_that_does_not_arrive_holds_nobody_up(world: World):
    sent: list[Message] = []

    async def never() -> Message:
        await anyio.sleep(60)
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    world.settings = world.settings.model_copy(update={"request_body_seconds": 0.05})
    scope = {"type": "http", "method": "POST", "path": "/retrieve", "raw_path": b"/retrieve", "query_string": b"", "headers": []}

    anyio.run(world.app(), scope, never, send)

    assert sent[0]["status"] == 408


def test_a_browser_is_told_to_keep_to_https_only_where_there_is_https(world: World):
    with serving(world) as api:
        without = api.get("/healthz").headers
    with serving(world, api_behind_https=True) as api:
        behind = api.get("/healthz").headers

    assert "strict-transport-security" not in without
    assert behind["strict-transport-security"].startswith("max-age=31536000")
    for headers in (without, behind):
        assert headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
