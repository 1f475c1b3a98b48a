"""How long it takes until a changed document, one of 5,000, is visible to `/retrieve`."""

import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.benchmarks import corpus
from tests.benchmarks.corpus import ABSTRACTS
from tests.benchmarks.processes import ChildError, log_files, running, tail
from tests.benchmarks.product import UNREAD_GROUPS, Product, sync_runs
from tests.benchmarks.report import Figure, Goal, Measured
from tests.benchmarks.world import World

CHANGES = 3
POLL_SECONDS = 0.05
VISIBLE_SECONDS = 300


@dataclass(frozen=True)
class Change:
    """Seconds until one change was visible: from its run's start, and from the command's."""

    from_run: float
    from_command: float
    run_seconds: float
    stages: dict[str, float]


def measure(world: World) -> Measured:
    """With the API serving all the while. The files are put back as they were."""
    product = world.main.product
    product.sync(ABSTRACTS.source)
    key = product.make_reader_key()
    documents = [file for file in world.main.documents(ABSTRACTS.source) if _is_readable(file)]
    chosen = documents[:: len(documents) // CHANGES][:CHANGES]
    with product.serving() as api, api.client(key) as client:
        changes = [_change(product, client, file) for file in chosen]
    product.sync(ABSTRACTS.source)
    figures = [
        Figure("visible after its run began", max(change.from_run for change in changes), "s", Goal("at most", 5)),
        Figure("visible after the command began", max(change.from_command for change in changes), "s"),
    ]
    return Measured(figures, {"documents": len(world.main.documents(ABSTRACTS.source)), "changes": [vars(change) for change in changes]})


def _change(product: Product, client: httpx.Client, file: Path) -> Change:
    before = file.read_bytes()
    word = f"q{secrets.token_hex(6)}"
    try:
        file.write_bytes(before + f"\nIn this study the marker {word} was new.\n".encode())
        return _until_visible(product, client, word)
    finally:
        file.write_bytes(before)


def _until_visible(product: Product, client: httpx.Client, word: str) -> Change:
    command = [sys.executable, "-m", "pipelines.sync", "--json", ABSTRACTS.source]
    output, errors = log_files(product.logs, command)
    began = time.time()
    with running(command, environment=product.environment, output=output, errors=errors) as process:
        while not _is_visible(client, word):
            if time.time() - began > VISIBLE_SECONDS or process.poll() not in (None, 0):
                raise ChildError(f"the change was not visible within {VISIBLE_SECONDS} seconds:\n{tail(errors, output)}")
            time.sleep(POLL_SECONDS)
        seen = time.time()
        process.wait(VISIBLE_SECONDS)
    run = sync_runs(output.read_text())[0]
    return Change(round(seen - run.started, 2), round(seen - began, 2), round(run.seconds, 2), product.stage_seconds())


def _is_visible(client: httpx.Client, word: str) -> bool:
    response = client.post("/retrieve", json={"query": word, "sources": [ABSTRACTS.source], "top_k": 3})
    return any(word in hit["passage"]["text"] for hit in response.raise_for_status().json()["hits"])


def _is_readable(file: Path) -> bool:
    return file.parent.name in corpus.groups()[: corpus.GROUPS - UNREAD_GROUPS]
