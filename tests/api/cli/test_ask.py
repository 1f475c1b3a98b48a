"""archivist ask and archivist retrieve, over HTTP to an application that really serves."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import structlog
import uvicorn

from api.cli.client import ApiClient
from api.cli.failures import FAILED, INVALID, REFUSED, UNAVAILABLE
from api.cli.output import harmless
from retrieval.domain.errors import CatalogUnavailable
from retrieval.settings import Settings
from tests.api.cli.conftest import Archivist
from tests.api.conftest import World


@pytest.fixture
def url(world: World) -> Iterator[str]:
    """The application on a free port of this machine, for the length of one test."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(world.app(), log_config=None, access_log=False, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    with structlog.testing.capture_logs():  # the command's own output is looked at, and this server shares its process
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()


def test_an_answer_is_printed_with_its_numbered_citations(archivist: Archivist, world: World, url: str):
    asked = archivist("ask", "How many days may everybody work from abroad?", ARCHIVIST_URL=url, ARCHIVIST_KEY=world.key("ann"))

    assert asked.exit_code == 0
    assert "Everybody may work from abroad for 30 days. [1]" in asked.stdout
    assert "[1] travel.txt · version 1 · handbook · file:///travel.txt" in asked.stdout


@pytest.mark.permissions
def test_two_people_get_what_each_may_read(archivist: Archivist, world: World, url: str):
    question = ("retrieve", "Nightingale merger takeover", "--url", url)

    anns = archivist(*question, ARCHIVIST_KEY=world.key("ann")).output
    beas = archivist(*question, ARCHIVIST_KEY=world.key("bea", "group:board")).output

    assert "Nightingale" not in anns
    assert " 1. nightingale.txt" in beas


def test_json_is_the_response_itself(archivist: Archivist, world: World, url: str):
    retrieved = archivist("retrieve", "abroad", "--top-k", "1", "--json", "--url", url, ARCHIVIST_KEY=world.key("ann"))

    body = json.loads(retrieved.stdout)
    again = archivist("retrieve", "abroad", "--at-least", body["consistency_token"], "--url", url, ARCHIVIST_KEY=world.key("ann"))

    assert len(body["hits"]) == 1
    assert again.exit_code == 0


def test_a_moment_is_asked_of_with_a_token_or_a_time(archivist: Archivist, world: World, url: str):
    key, question = world.key("ann"), ("abroad", "--json", "--url", url)
    token = json.loads(archivist("retrieve", *question, ARCHIVIST_KEY=key).stdout)["consistency_token"]

    found = json.loads(archivist("retrieve", *question, "--as-of", token, ARCHIVIST_KEY=key).stdout)
    answer = json.loads(archivist("ask", *question, "--as-of", token, ARCHIVIST_KEY=key).stdout)
    refused = archivist("ask", "abroad", "--as-of", "2199-01-01T00:00:00Z", "--url", url, ARCHIVIST_KEY=key)

    assert found["as_of"]["consistency_token"]
    assert found["hits"]
    assert answer["as_of"]["time"] is None
    assert (refused.exit_code != 0, "as_of" in refused.output) == (True, True)


def test_an_abstention_says_why(archivist: Archivist, world: World, url: str):
    asked = archivist("ask", "Qwertz uiop?", "--url", url, ARCHIVIST_KEY=world.key("ann"))

    assert asked.exit_code == 0
    assert asked.stdout.startswith("No answer: ")


def test_every_failure_is_one_line_with_its_own_exit_code(archivist: Archivist, world: World, url: str):
    key = world.key("ann")
    failures = [
        archivist("ask", "abroad", "--url", url),
        archivist("ask", " ", "--url", url, "--key", key),
        archivist("ask", "abroad", "--url", url, "--key", "ak_x_y"),
        archivist("ask", "abroad", "--url", "http://127.0.0.1:1", "--key", key),
        archivist("ask", "abroad", "--url", f"{url}/elsewhere", "--key", key),
        archivist("ask", "abroad", "--url", "ftp://127.0.0.1", "--key", key),
    ]
    world.index.failure = CatalogUnavailable("down")
    failures.append(archivist("ask", "abroad", "--url", url, "--key", key))

    assert [failure.exit_code for failure in failures] == [INVALID, INVALID, REFUSED, UNAVAILABLE, REFUSED, INVALID, UNAVAILABLE]
    assert all(failure.stderr.startswith("archivist: ") and failure.stderr.count("\n") == 1 for failure in failures)
    assert not any(key in failure.output for failure in failures)
    assert "query: must not be empty" in failures[1].stderr


def test_an_answer_in_another_format_is_not_taken_for_one():
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>Welcome</html>"))
    with ApiClient(Settings(), key="ak_x_y", transport=page) as api, pytest.raises(Exception, match="not in its own format") as failure:
        api.post("/answer", {})

    assert type(failure.value).__name__ == "ArchivistError"
    assert FAILED == 1


def test_text_of_documents_cannot_move_the_cursor_or_turn_the_direction_of_writing():
    assert harmless("a\x1b[2Jb\x07c\u202ed\ne\tf") == "a[2Jbcd\ne\tf"


def test_a_setting_that_is_wrong_is_named(archivist: Archivist):
    refused = archivist("ask", "abroad", ARCHIVIST_PORT="seven")

    assert refused.exit_code == INVALID
    assert refused.stderr.startswith("archivist: setting ARCHIVIST_PORT: ")
    assert "seven" not in refused.stderr
