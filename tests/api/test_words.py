"""No word of a document or of a query is in a log line, nor in an error that a caller is shown, whatever goes wrong.

A real server answers, because it is the server that logs what the application did not foresee.
"""

import contextlib
import json
import logging
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import structlog
import uvicorn

from api.logs import configure_logs
from retrieval.domain.errors import ArchivistError, CatalogUnavailable, IndexUnavailable
from tests.api.conftest import FILES, SECRET_WORDS, World

ASKED = ("zanzibar", "heliotrope")
"""Words that stand only in queries and other input."""
CANARIES = (*SECRET_WORDS, *ASKED, "nightingale", "takeover of 30 days", "travel.txt", "Keep the receipts", "receipts")


@contextlib.contextmanager
def served(world: World) -> Iterator[tuple[uvicorn.Server, str]]:
    config = uvicorn.Config(world.app(), port=0, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.permissions
@pytest.mark.usefixtures("_restored_logging")
def test_no_word_of_a_document_or_a_query_is_logged_or_told_in_an_error(
    world: World, ann: dict[str, str], bea: dict[str, str], capfd: pytest.CaptureFixture[str]
):
    text = FILES["nightingale.txt"][0]
    failures = [
        *(None, ZeroDivisionError(text), ValueError({"text": text}), KeyError(text), ArchivistError("a fault of ours")),
        *(IndexUnavailable("the index is being built"), CatalogUnavailable("the disk is gone")),
    ]
    hidden = world.document("nightingale.txt")
    configure_logs("DEBUG")
    structlog.configure(cache_logger_on_first_use=False)  # loggers outlive this test, its standard error does not

    refused: list[httpx.Response] = []
    with served(world) as (_, url), httpx.Client(base_url=url, trust_env=False) as api:
        for failure in failures:
            world.index.failure = failure  # type: ignore[assignment]
            for who in (ann, bea, {}):
                for query in ("Nightingale takeover zanzibar", "", "heliotrope " * 9000):
                    refused += [api.post(path, json={"query": query}, headers=who) for path in ("/retrieve", "/answer")]
                refused += [
                    api.post("/retrieve", json={"query": "zanzibar", "unknown": 1, "top_k": "heliotrope"}, headers=who),
                    api.post("/retrieve", content=b'{"query": "zanzibar', headers=who | {"Content-Type": "application/json"}),
                    api.get(f"/documents/{hidden}", params={"start": "zanzibar"}, headers=who),
                    api.get("/documents/zanzibar", headers=who),
                    api.get("/documents", params={"cursor": "heliotrope", "source": "zanzibar zanzibar"}, headers=who),
                    api.get("/zanzibar", params={"q": "heliotrope"}, headers=who | {"X-Heliotrope": "zanzibar"}),
                ]
        world.index.failure = None
        world.catalog.database.engine.dispose()
        with world.catalog.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE texts RENAME TO zanzibar_texts")
            connection.exec_driver_sql("ALTER TABLE documents RENAME TO zanzibar_documents")
        refused += [api.get(f"/documents/{hidden}", headers=bea), api.get("/documents", headers=bea)]
        refused += [api.post("/answer", json={"query": "Nightingale zanzibar"}, headers=bea)]

    logged = "".join(capfd.readouterr())
    told = [response for response in refused if response.status_code >= 400]
    assert {response.status_code for response in told} >= {400, 401, 404, 413, 422, 500, 503}
    assert "ZeroDivisionError" in logged
    assert all("request_id" in json.loads(line) or "logger" in json.loads(line) for line in logged.splitlines() if line.startswith("{"))
    for canary in CANARIES:
        assert canary not in logged
        assert not [response.text for response in told if canary in response.text]
        assert not [name for response in told for name in response.headers.values() if canary in name]


def test_a_server_that_is_told_to_end_answers_what_it_has_begun(world: World, ann: dict[str, str]):
    inside, answers = threading.Semaphore(0), list[int]()
    embed = world.index.embedder.embed_query

    def slowly(text: str) -> object:
        if text == "slow":
            inside.release()
            time.sleep(0.5)
        return embed(text)

    world.index.embedder.embed_query = slowly  # type: ignore[method-assign]
    with served(world) as (server, url):

        def ask() -> None:
            answers.append(httpx.post(f"{url}/retrieve", json={"query": "slow"}, headers=ann, trust_env=False).status_code)

        asking = [threading.Thread(target=ask) for _ in range(8)]
        for thread in asking:
            thread.start()
        for _ in asking:
            assert inside.acquire(timeout=5)
        server.should_exit = True
        for thread in asking:
            thread.join()

    assert answers == [200] * 8
