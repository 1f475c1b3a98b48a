"""The API is killed at random moments while documents change. What it then shows is what the catalog says, nothing else.

`ARCHIVIST_TEST_KILLS` sets how often (5; the full campaign is 20, `make faults`). Vectors are random: only the model's name is real.
"""

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.adapters.qdrant.payload import HeldPassage, points_of
from retrieval.bootstrap import open_embedder
from retrieval.domain.clock import SystemClock
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.settings import Settings
from tests.story import ANN, PUBLIC, Story

pytestmark = [pytest.mark.e2e, pytest.mark.models, pytest.mark.slow]

KILLS = int(os.environ.get("ARCHIVIST_TEST_KILLS", "3"))
DOCUMENTS = 60
READY_SECONDS = 180


@pytest.fixture
def api_settings(tmp_path: Path) -> Settings:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Settings(data_directory=tmp_path / "archivist", port=free.getsockname()[1])


@pytest.fixture
def catalog_of_api(api_settings: Settings) -> Iterator[Catalog]:
    catalog = open_catalog(api_settings)
    yield catalog
    catalog.close()


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "api.cli.main", "serve"], env=settings.as_environment(), stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until_ready(settings: Settings) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{settings.port}/readyz", trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the API did not get ready")


def test_after_any_kill_the_index_is_what_the_catalog_says(api_settings: Settings, catalog_of_api: Catalog):
    embedder = open_embedder(api_settings)
    story = Story(catalog_of_api, model=embedder.model, dimensions=embedder.dimensions)
    key = ApiKey.generate()
    catalog_of_api.keys.add(StoredApiKey(key.id, key.secret_hash, ANN, "test", SystemClock().now()))
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    drawn = random.Random(seed)
    files = {f"{n}.md": (f"Word{n} opens. Word{n} closes.", PUBLIC) for n in range(DOCUMENTS)}
    story.sync(files)

    for kill in range(KILLS):
        with serving(api_settings) as process:
            wait_until_ready(api_settings)
            moment = time.monotonic() + drawn.uniform(0, 1.5)
            while time.monotonic() < moment:
                for name in drawn.sample(sorted(files), 5):
                    files[name] = (f"Kill{kill} of {name} at {drawn.random()}. The rest of it.", PUBLIC)
                files.pop(drawn.choice(sorted(files)), None)
                files[f"new-{drawn.random()}.md"] = (f"New at kill {kill}. And more.", PUBLIC)
                story.sync(files)
            process.kill()

    with serving(api_settings) as process:
        wait_until_ready(api_settings)
        found = httpx.post(
            f"http://127.0.0.1:{api_settings.port}/retrieve",
            json={"query": "opens closes kill new rest", "top_k": 100},
            headers={"Authorization": f"Bearer {key.written}"},
            trust_env=False,
        )
        process.terminate()
        process.wait(30)
    assert found.status_code == 200
    texts = {hit["passage"]["text"] for hit in found.json()["hits"]}
    assert texts <= story.visible(ANN)
    assert texts
    feed = CatalogFeed(catalog_of_api.database, embedder.model, past_days=api_settings.as_of_max_days)
    with feed.snapshot() as (_, documents):
        expected = sorted(map(said, points_of(list(documents))))
    index = EdgeIndex.open(api_settings.index_directory, IndexIdentity(embedder.model, embedder.dimensions))
    held = sorted(map(said, index.contents()))
    index.close()
    assert held == expected


def said(point: HeldPassage) -> tuple[object, ...]:
    """What a point says of itself, but for its vectors."""
    return point.passage.id, point.document, point.passage.text, point.version, point.access_class, point.intervals
