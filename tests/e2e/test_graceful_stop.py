"""The API is told to end while it is asked. Whoever had asked is answered.

`ARCHIVIST_TEST_STOPS` sets how often (2; the full campaign is 100). The model is the real one.
"""

import contextlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.bootstrap import open_embedder
from retrieval.domain.clock import SystemClock
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.settings import Settings
from tests.story import ANN, PUBLIC, Story

pytestmark = [pytest.mark.e2e, pytest.mark.models, pytest.mark.slow]

STOPS = int(os.environ.get("ARCHIVIST_TEST_STOPS", "2"))
CALLERS = 8
READY_SECONDS = 180
ARRIVED_SECONDS = 0.02
"""A request that was sent so long before the end has arrived: the caller is connected and its bytes are with the process."""


@dataclass
class Callers:
    """Several that ask without end, each time over a new connection, until they are refused one."""

    port: int
    key: str
    sent: list[float] = field(default_factory=list)
    unanswered: list[float] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        body, headers = (
            json.dumps({"query": "opens and closes"}),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        while not self.ended.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                connection.connect()
            except OSError:
                return
            with contextlib.closing(connection):
                sent = time.monotonic()
                try:
                    connection.request("POST", "/answer", body, headers)
                    answer = connection.getresponse()
                    answer.read()
                except (OSError, http.client.HTTPException):
                    self.unanswered.append(sent)
                    return
            assert answer.status == 200
            self.sent.append(sent)


def wait_until_ready(url: str) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the API did not get ready")


def test_whoever_had_asked_when_the_process_is_told_to_end_is_answered(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings = Settings(data_directory=tmp_path / "archivist", port=free.getsockname()[1])
    catalog = open_catalog(settings)
    embedder = open_embedder(settings)
    story = Story(catalog, model=embedder.model, dimensions=embedder.dimensions)
    story.sync({f"{n}.md": (f"Word{n} opens. Word{n} closes.", PUBLIC) for n in range(50)})
    key = ApiKey.generate()
    catalog.keys.add(StoredApiKey(key.id, key.secret_hash, ANN, "test", SystemClock().now()))
    catalog.close()
    url = f"http://127.0.0.1:{settings.port}"
    drawn, answered, begun = random.Random(7), 0, 0

    for _ in range(STOPS):
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli.main", "serve"], env=settings.as_environment(), stdout=subprocess.DEVNULL
        )
        try:
            wait_until_ready(url)
            callers = Callers(settings.port, key.written)
            threads = [threading.Thread(target=callers.ask) for _ in range(CALLERS)]
            for thread in threads:
                thread.start()
            time.sleep(drawn.uniform(0.5, 1.5))
            told = time.monotonic()
            process.terminate()
            code = process.wait(30)
            callers.ended.set()
            for thread in threads:
                thread.join()
        finally:
            process.kill()
            process.wait()

        assert code in {0, -15}
        assert not [moment for moment in callers.unanswered if moment < told - ARRIVED_SECONDS]
        answered += len(callers.sent)
        begun += len([moment for moment in callers.sent if told - 1 < moment < told])

    print(f"{STOPS} stops, {answered} requests answered, {begun} of them sent in the last second, none dropped")
    assert answered > 0
