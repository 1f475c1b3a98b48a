"""archivist budget and archivist usage."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.failures import INVALID
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.answers import Generated, TokenUsage
from retrieval.domain.directory import Entry
from retrieval.domain.errors import BudgetExceeded
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.usage import Spending
from retrieval.settings import Settings
from tests.api.cli.conftest import Archivist

APP = Principal("intranet", PrincipalKind.APP)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = open_catalog(Settings(data_directory=tmp_path))
    yield catalog
    catalog.close()


def spend(catalog: Catalog, tokens: int = 100) -> None:
    reservation = catalog.usage.reserve(APP, Spending(TokenUsage(tokens, 0), 0), prompt="answer@1", request_id=None)
    catalog.usage.settle(reservation, Generated("cohere/command", "answer@1", TokenUsage(tokens, 0), 0.5), sources=["wiki", "handbook"])


def test_what_is_set_holds_at_once_and_is_listed(archivist: Archivist, catalog: Catalog):
    done = archivist("budget", "set", "app:intranet", "--tokens", "250", "--by", "user:dana")
    spend(catalog)
    spend(catalog)

    assert (done.exit_code, done.stdout) == (0, "")
    assert "app:intranet may spend 250 tokens in a day" in done.stderr
    with pytest.raises(BudgetExceeded):
        spend(catalog)
    (listed,) = json.loads(archivist("budget", "list", "--json").stdout)
    assert (listed["tokens"], listed["spent_tokens"], listed["spent_dollars"], listed["set_by"]) == (250, 200, 1.0, "user:dana")


def test_a_budget_is_lifted_and_its_history_stays(archivist: Archivist, catalog: Catalog):
    archivist("budget", "set", "all", "--period", "month", "--dollars", "0.25")
    archivist("budget", "set", "all", "--period", "month", "--unlimited")

    spend(catalog, 10**6)

    assert "no budgets" in archivist("budget", "list").stderr
    history = json.loads(archivist("budget", "show", "all", "--json").stdout)
    assert [(budget["version"], budget["dollars"], budget["tokens"]) for budget in history] == [(2, None, None), (1, 0.25, None)]
    assert "app:cli" in archivist("budget", "show", "all").stdout


@pytest.mark.parametrize("prices", ["", '{"cohere/command": [1, 2]}'])
def test_a_budget_in_dollars_says_when_no_model_has_a_price(archivist: Archivist, prices: str):
    environment = {"ARCHIVIST_GENERATOR_PRICES": prices} if prices else {}

    told = archivist("budget", "set", "app:intranet", "--dollars", "5", **environment).stderr

    assert ("No generator has a price" in told) == (not prices)


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "app:intranet"),
        ("set", "app:intranet", "--tokens", "5", "--unlimited"),
        ("set", "user:ann", "--tokens", "5"),
        ("set", "app:intranet", "--tokens", "-5"),
        ("set", "app:intranet", "--dollars", "nan"),
        ("set", "app:intranet", "--dollars", "inf"),
        ("set", "app:intranet", "--dollars", "1e300"),
        ("set", "app:intranet", "--tokens", "5", "--period", "week"),
        ("show", "everyone"),
    ],
)
def test_what_is_no_budget_is_refused(archivist: Archivist, arguments: tuple[str, ...]):
    assert archivist("budget", *arguments).exit_code == INVALID


def test_usage_is_told_to_people_to_scripts_and_to_spreadsheets(archivist: Archivist, catalog: Catalog):
    catalog.directory.add(Entry("app:intranet", "Intranet", attributes={"team": "=HYPERLINK(1)"}))
    spend(catalog)

    for people in archivist("usage", "--by", "source").stdout, archivist("usage", "--by", "application").stdout:
        assert "0.5" in people
    (line,) = json.loads(archivist("usage", "--by", "generator", "--json").stdout)
    assert line == {"generator": "cohere/command", "answers": 1, "input_tokens": 100, "output_tokens": 0, "dollars": 0.5}
    sheet = list(csv.reader(io.StringIO(archivist("usage", "--by", "team", "--csv").stdout.lstrip("\ufeff"))))
    assert sheet == [["team", "answers", "input_tokens", "output_tokens", "dollars"], ["'=HYPERLINK(1)", "1", "100", "0", "0.5"]]


def test_usage_of_another_time_is_none(archivist: Archivist, catalog: Catalog):
    spend(catalog)

    assert "No answer" in archivist("usage", "--from", "2001-01-01", "--to", "2001-02-01").stderr
    assert archivist("usage", "--from", "2001-02-01", "--to", "2001-01-01").exit_code == INVALID
    assert archivist("usage", "--csv", "--json").exit_code == INVALID
