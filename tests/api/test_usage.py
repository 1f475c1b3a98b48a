"""GET /usage: what generated answers cost, for administrators; and how a budget that is used up is told."""

import json
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from api.errors import problem_of
from retrieval.domain.answers import Generated, TokenUsage
from retrieval.domain.errors import BudgetExceeded
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.roles import Role
from retrieval.domain.usage import Budget, Period, Spending
from tests.api.conftest import World

APP = Principal("intranet", PrincipalKind.APP)
DANA = Principal("dana")


def credential(world: World, role: Role, principal: Principal = DANA) -> dict[str, str]:
    key = ApiKey.generate()
    world.catalog.keys.add(StoredApiKey(key.id, key.secret_hash, principal, "", world.clock.at, roles=frozenset({role})))
    return {"Authorization": f"Bearer {key.written}"}


@pytest.fixture
def admin(world: World) -> dict[str, str]:
    return credential(world, Role.ADMIN)


def spend(world: World, *sources: str, tokens: int = 100) -> None:
    meter = world.catalog.usage
    reservation = meter.reserve(APP, Spending(TokenUsage(900, 100), 0), prompt="answer@1", request_id="r1")
    meter.settle(reservation, Generated("cohere/command", "answer@1", TokenUsage(tokens, 10), 0.25), sources=sources)


def test_an_administrator_sees_what_was_spent_and_the_budgets(api: TestClient, world: World, admin: dict[str, str]):
    world.catalog.database.clock = world.clock
    world.catalog.budgets.set(Budget("app:intranet", Period.DAY, tokens=1_000), by="user:dana")
    spend(world, "handbook", "wiki")

    told = api.get("/usage", params={"by": "source"}, headers=admin).json()

    assert told["lines"] == [
        {"key": source, "answers": 0.5, "input_tokens": 50, "output_tokens": 5, "dollars": 0.125} for source in ("handbook", "wiki")
    ]
    (budget,) = told["budgets"]
    assert (budget["holder"], budget["tokens"], budget["spent_tokens"], budget["dollars"]) == ("app:intranet", 1_000, 110, None)
    assert (told["since"], told["until"]) == ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")


def test_only_what_falls_in_the_window_counts(api: TestClient, world: World, admin: dict[str, str]):
    world.catalog.database.clock = world.clock
    spend(world)
    world.clock.at += timedelta(days=1)
    spend(world, tokens=7)

    told = api.get("/usage", params={"from": "2026-03-02T00:00:00Z"}, headers=admin).json()

    assert [(line["key"], line["answers"], line["input_tokens"]) for line in told["lines"]] == [("app:intranet", 1, 7)]


@pytest.mark.parametrize(
    "wanted", [{"by": "person"}, {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, {"from": "yesterday"}, {"page": "1"}]
)
def test_what_cannot_be_added_up_is_refused_by_field(api: TestClient, admin: dict[str, str], wanted: dict[str, str]):
    refused = api.get("/usage", params=wanted, headers=admin)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] in {"by", "to", "from", "page"}


@pytest.mark.permissions
@pytest.mark.parametrize("role", [Role.USER, Role.AUDITOR, Role.DATA_OWNER, Role.REVIEWER])
def test_nobody_else_sees_it(api: TestClient, world: World, role: Role):
    assert api.get("/usage", headers=credential(world, role)).status_code == 403


def test_a_budget_that_is_used_up_is_told_with_its_limit_and_when_it_starts_anew():
    problem = problem_of(BudgetExceeded("1000 tokens a day for app:intranet, anew at 2026-03-02T00:00:00Z", retry_after_seconds=54_000))
    response = problem.response("r1")

    told = json.loads(response.body)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "54000")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert told["type"] == "urn:archivist:problem:budget-exceeded"
    assert told["errors"] == [
        {
            "field": "budget",
            "problem": "less is left than an answer may cost",
            "limit": "1000 tokens a day for app:intranet, anew at 2026-03-02T00:00:00Z",
        }
    ]
