"""Answers in time, and no more work inside than is allowed: with a slow model in the place of a busy machine."""

import os
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from retrieval.settings import Settings
from tests.api.conftest import World
from tests.slack import FAR_SECONDS, SLACK_SECONDS, within

DEADLINE = 0.2
TRIALS = int(os.environ.get("DEADLINE_TRIALS", "40"))


@contextmanager
def serving(world: World, **settings: object) -> Iterator[TestClient]:
    world.settings = world.settings.model_copy(update=settings)
    with TestClient(world.app(), raise_server_exceptions=False) as client:
        yield client


class SlowModel(list[float]):
    """Takes as many seconds as the query says, at most until it is let go; holds the moments at which its work began."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()


@pytest.fixture
def slow(world: World) -> Iterator[SlowModel]:
    model = SlowModel()
    embed = world.index.embedder.embed_query

    def slowly(text: str) -> object:
        if re.fullmatch(r"[0-9.]+", text):
            model.append(time.perf_counter())
            model.begun.set()
            model.let_go.wait(float(text))
        return embed(text)

    world.index.embedder.embed_query = slowly  # type: ignore[method-assign]
    yield model
    model.let_go.set()


def timed(call: Callable[[], Response]) -> tuple[Response, float]:
    started = time.perf_counter()
    return call(), time.perf_counter() - started


def answered(call: Callable[[], Response]) -> Response:
    """The first answer that is not a refusal: what was at work may need a moment to end."""
    until = time.perf_counter() + SLACK_SECONDS
    while (response := call()).status_code == 503 and time.perf_counter() < until:
        time.sleep(0.01)
    return response


def asking(api: TestClient, who: dict[str, str], seconds: float) -> Callable[[], Response]:
    return lambda: api.post("/retrieve", json={"query": f"{seconds:.3f}"}, headers=who)


def test_a_request_that_cannot_be_answered_in_time_is_told_so(world: World, ann: dict[str, str], slow: SlowModel):
    with serving(world, request_deadline_seconds=2) as api:
        with within(2):
            late, seconds = timed(asking(api, ann, FAR_SECONDS))
        in_time = api.post("/retrieve", json={"query": "travel"}, headers=ann)
        slow.let_go.set()

    assert late.status_code == 503
    assert late.headers["retry-after"] == "1"
    assert late.json()["type"] == "urn:archivist:problem:deadline-exceeded"
    assert late.headers["x-request-id"] == late.json()["request_id"]
    assert seconds >= 2
    assert in_time.status_code == 200
    assert len(slow) == 1


@pytest.mark.slow
def test_every_answer_comes_by_its_deadline(world: World, ann: dict[str, str], slow: SlowModel):
    """DEADLINE_TRIALS=2000 ARCHIVIST_TEST_SLACK_SECONDS=0.25 is the whole form, for a machine that does nothing else."""
    drawn = random.Random(11)
    delays = [DEADLINE * drawn.uniform(0, 10) for _ in range(TRIALS)]
    with serving(world, request_deadline_seconds=DEADLINE, api_threads=40) as api, ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(timed, [asking(api, ann, delay) for delay in delays]))

    print(f"slowest answer {max(seconds for _, seconds in answers):.3f} s at a deadline of {DEADLINE} s, {TRIALS} trials")
    assert max(seconds for _, seconds in answers) < DEADLINE + SLACK_SECONDS
    assert {response.status_code for response, _ in answers} == {200, 503}
    assert {response.status_code for delay, (response, _) in zip(delays, answers, strict=True) if delay > 2 * DEADLINE} == {503}


def test_work_that_nobody_waits_for_keeps_its_place_until_it_ends(world: World, ann: dict[str, str], slow: SlowModel):
    """Otherwise every late request would let another one in, and the machine would do ever more for nobody."""
    with serving(world, request_deadline_seconds=1, api_threads=1, api_queue=0) as api:
        late = asking(api, ann, FAR_SECONDS)()
        shed = asking(api, ann, 0)()
        slow.let_go.set()
        after = answered(asking(api, ann, 0))

    assert [response.json().get("type", "") for response in (late, shed)] == [
        "urn:archivist:problem:deadline-exceeded",
        "urn:archivist:problem:overloaded",
    ]
    assert after.status_code == 200


def test_a_request_whose_deadline_passes_while_it_waits_is_never_begun(world: World, ann: dict[str, str], slow: SlowModel):
    with serving(world, request_deadline_seconds=0.5, api_threads=1, api_queue=5) as api, ThreadPoolExecutor(2) as pool:
        first = pool.submit(asking(api, ann, FAR_SECONDS))
        slow.begun.wait(SLACK_SECONDS)
        waiting = asking(api, ann, 0)()
        slow.let_go.set()
        answered(lambda: api.post("/retrieve", json={"query": "travel"}, headers=ann))

    assert (first.result().status_code, waiting.status_code) == (503, 503)
    assert len(slow) == 1


def test_above_capacity_the_rest_is_told_at_once_and_the_admitted_are_answered(world: World, ann: dict[str, str], slow: SlowModel):
    with serving(world, api_threads=4, api_queue=4, request_deadline_seconds=FAR_SECONDS) as api, ThreadPoolExecutor(32) as pool:
        asked = [pool.submit(asking(api, ann, FAR_SECONDS)) for _ in range(32)]
        with within(0):
            told = [next(done).result() for done in [as_completed(asked)] for _ in range(24)]
        health = api.get("/healthz").status_code
        slow.let_go.set()
        answers = [response.result().status_code for response in asked]

    assert {(response.status_code, response.headers["retry-after"]) for response in told} == {(503, "1")}
    assert Counter(answers) == {200: 8, 503: 24}
    assert health == 200


def test_whoever_is_turned_away_does_not_wait_for_those_inside(world: World, ann: dict[str, str], slow: SlowModel):
    with serving(world, api_threads=1, api_queue=0, request_deadline_seconds=FAR_SECONDS) as api, ThreadPoolExecutor(1) as pool:
        busy = pool.submit(asking(api, ann, FAR_SECONDS))
        slow.begun.wait(SLACK_SECONDS)
        with within(0):
            shed = [asking(api, ann, 0)() for _ in range(20)]
        alive = [api.get(path).status_code for path in ("/healthz", "/readyz")]
        slow.let_go.set()

    assert {response.status_code for response in shed} == {503}
    assert alive == [200, 200]
    assert busy.result().status_code == 200


def test_the_deadline_is_longer_than_any_part_waits_for_another():
    settings = Settings()

    assert settings.request_deadline_seconds > settings.qdrant_timeout_seconds + settings.index_catch_up_seconds
