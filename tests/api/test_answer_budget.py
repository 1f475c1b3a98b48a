"""Answers in words are paid for: what one cost is told and booked, and an answer that the budget does not allow is not asked for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.bootstrap import open_generators
from retrieval.domain.permissions import EVERYONE
from retrieval.domain.roles import Role
from retrieval.domain.usage import Budget, Grouping, Period, UsageLine, Window
from retrieval.settings import Settings
from tests.api.conftest import FakeEmbedder, ScanIndex, World
from tests.api.test_usage import APP, credential
from tests.chat_servers import Asked, OpenAIChat, Said, serving_openai_chat
from tests.story import Story, allow

TEXT = "Every employee has 25 days of paid leave a year."
QUESTION = {"query": "How many days of paid leave does every employee have a year?"}
PRICES = {"openai/any-model": (1000, 2000)}


def says(_asked: Asked) -> Said:
    return Said(f"{TEXT} [1]", input_tokens=600, output_tokens=30)


Serving = Callable[..., tuple[World, TestClient, OpenAIChat]]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """A service whose answers are worded by a model on loopback."""
    with ExitStack() as opened:

        def serve(**settings: object) -> tuple[World, TestClient, OpenAIChat]:
            chat = opened.enter_context(serving_openai_chat(says))
            certain = {"answer_min_support": 0.1, "answer_accepted_error": 0.5, "answer_error_confidence": 0.5, "generator_prices": PRICES}
            wanted = Settings.model_validate({"data_directory": tmp_path, **certain, **chat.settings, **settings})
            catalog = open_catalog(wanted)
            opened.callback(catalog.close)
            story = Story(catalog)
            story.sync({"leave.txt": (TEXT, allow(EVERYONE))})
            generators = opened.enter_context(open_generators(wanted))
            world = World(wanted, catalog, story, ScanIndex(story, FakeEmbedder()), generators=generators)
            catalog.database.clock = world.clock
            client = opened.enter_context(TestClient(world.app(), raise_server_exceptions=False))
            return world, client, chat

        yield serve


def application(world: World) -> dict[str, str]:
    return credential(world, Role.APP, APP)


def spent(world: World) -> list[UsageLine]:
    window = Window.asked(None, None, now=world.clock.now())
    return world.catalog.usage.lines(Grouping.SOURCE, since=window.since, until=window.until, most=9)


def test_what_an_answer_cost_is_told_and_booked_on_the_source_it_cites(serving: Serving):
    world, client, _ = serving()

    told = client.post("/answer", json=QUESTION, headers=application(world)).json()

    assert told["generated"] == {"by": "openai/any-model", "prompt": "answer@1", "input_tokens": 600, "output_tokens": 30, "cost_usd": 0.66}
    assert spent(world) == [UsageLine("handbook", 1, 600, 30, 660_000)]


@pytest.mark.parametrize("path", ["/answer", "/answer/stream"])
def test_over_budget_is_a_429_that_names_the_limit_and_asks_no_model(serving: Serving, path: str):
    world, client, chat = serving()
    world.catalog.budgets.set(Budget("app:intranet", Period.DAY, tokens=700), by="user:dana")

    refused = client.post(path, json=QUESTION, headers=application(world))

    assert refused.status_code == 429
    assert refused.json()["type"] == "urn:archivist:problem:budget-exceeded"
    assert refused.json()["errors"][0]["limit"] == "700 tokens a day for app:intranet, anew at 2026-03-02T00:00:00Z"
    assert int(refused.headers["Retry-After"]) == 15 * 3600
    assert (chat.requests, spent(world)) == ([], [])


def test_quotes_cost_nothing_and_stand_in_where_the_settings_say_so(serving: Serving):
    world, client, chat = serving(budget_exhausted="extractive")
    world.catalog.budgets.set(Budget("all", Period.MONTH, micro_dollars=1), by="user:dana")

    told = client.post("/answer", json=QUESTION, headers=application(world)).json()

    assert (told["answer"], told["generated"]["by"], told["degraded"]) == (TEXT, "extractive", ["budget"])
    assert (chat.requests, spent(world)) == ([], [])


def test_somebody_elses_budget_stops_nobody(serving: Serving):
    world, client, _ = serving()
    world.catalog.budgets.set(Budget("app:other", Period.DAY, tokens=0), by="user:dana")

    assert client.post("/answer", json=QUESTION, headers=application(world)).json()["generated"]["by"] == "openai/any-model"


def test_a_model_that_is_down_is_not_paid_for(serving: Serving):
    world, client, chat = serving()
    chat.fault = "500"

    told = client.post("/answer", json=QUESTION, headers=application(world)).json()

    assert told["generated"]["by"] == "extractive"
    assert spent(world) == []
