"""archivist serve as a process: it answers, refuses a second owner of the same data, and ends in order."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.cli.failures import INVALID
from retrieval.settings import Settings

START_SECONDS = 180
END_SECONDS = 30


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return Settings(data_directory=tmp_path / "archivist", port=port).as_environment()


def archivist(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "api.cli.main", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=START_SECONDS, check=False)


@contextmanager
def serving(environment: dict[str, str], log: Path, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A server that is ready, and killed at the end whatever happens."""
    url = f"http://127.0.0.1:{environment['ARCHIVIST_PORT']}/readyz"
    with (
        log.open("wb") as output,
        subprocess.Popen([sys.executable, "-m", "api.cli.main", "serve", *options], env=environment, stderr=output) as server,
    ):
        try:
            deadline = time.monotonic() + START_SECONDS
            while not is_ready(url):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)
            yield server
        finally:
            server.kill()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.e2e
@pytest.mark.slow
def test_it_answers_a_key_made_while_it_runs_refuses_a_second_owner_and_ends_in_order(environment: dict[str, str], tmp_path: Path):
    log = tmp_path / "log"
    with serving(environment, log) as server:
        made = json.loads(archivist(environment, "keys", "create", "--user", "ann", "--json").stdout)
        keyed = {**environment, "ARCHIVIST_KEY": made["key"]}
        answered = archivist(keyed, "retrieve", "zanzibar", "--json")
        archivist(environment, "keys", "revoke", made["id"])
        refused = archivist(keyed, "retrieve", "zanzibar")
        status = json.loads(archivist(environment, "index", "status", "--json").stdout)
        second = archivist(environment, "serve", "--port", "1")
        server.send_signal(signal.SIGTERM)
        code = server.wait(END_SECONDS)

    assert json.loads(answered.stdout)["hits"] == []
    assert (refused.returncode, refused.stderr) == (4, "archivist: the API does not accept this key\n")
    assert [follower["alive"] for follower in status["followers"]] == [True]
    assert second.returncode == 3
    assert "Traceback" not in second.stderr
    assert code == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["status"] for line in lines if line.get("route") == "/retrieve"] == [200, 401]
    assert "zanzibar" not in log.read_text()
    assert made["key"].rpartition("_")[2] not in log.read_text()


def test_dev_is_refused_on_an_address_that_others_reach(environment: dict[str, str]):
    refused = archivist(environment, "serve", "--dev", "--host", "0.0.0.0")

    assert refused.returncode == INVALID
    assert "ARCHIVIST_HOST: must be a loopback address" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_issuer_without_an_audience_is_refused_before_anything_is_opened(environment: dict[str, str], tmp_path: Path):
    refused = archivist({**environment, "ARCHIVIST_OIDC_ISSUER": "https://login.example"}, "serve")

    assert refused.returncode == INVALID
    assert "ARCHIVIST_OIDC_AUDIENCE: must be set" in refused.stderr
    assert not (tmp_path / "archivist").exists()


@pytest.mark.e2e
@pytest.mark.slow
def test_dev_warns_and_believes_whoever_asks(environment: dict[str, str], tmp_path: Path):
    log = tmp_path / "log"
    with serving(environment, log, "--dev"):
        answered = archivist({**environment, "ARCHIVIST_KEY": "dev:ann:board"}, "retrieve", "zanzibar", "--json")

    assert json.loads(answered.stdout)["hits"] == []
    assert log.read_text().startswith("WARNING: --dev is on.")
