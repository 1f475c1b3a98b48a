"""What answers cost and what may be spent, on both databases."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.tables import spending, usage
from retrieval.domain.answers import Generated, TokenUsage
from retrieval.domain.audit import AuditFilter
from retrieval.domain.clock import stamp
from retrieval.domain.directory import Entry
from retrieval.domain.errors import BudgetExceeded, InvalidInput, ModelUnavailable
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.usage import ENTERPRISE_URN, Budget, Grouping, Period, Reservation, Spending, UsageLine
from tests.api.conftest import FakeClock

pytestmark = pytest.mark.contract

INTRANET = Principal("intranet", PrincipalKind.APP)
ANN = Principal("ann", through=INTRANET)
BOB = Principal("bob")
WORST = Spending(TokenUsage(900, 100), 5_000)
EVER = {"since": datetime(2000, 1, 1, tzinfo=UTC), "until": datetime(2100, 1, 1, tzinfo=UTC), "most": 100}
AUDITOR = Principal("olga")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def catalog(make_catalog: Callable[..., Catalog], clock: FakeClock) -> Catalog:
    return make_catalog(clock=clock)


def reserve(catalog: Catalog, principal: Principal = ANN, worst: Spending = WORST) -> Reservation:
    return catalog.usage.reserve(principal, worst, prompt="answer@1", request_id="r1")


def settle(catalog: Catalog, reservation: Reservation, *sources: str, input_tokens: int = 80, output_tokens: int = 20) -> None:
    cost = (input_tokens + output_tokens) / 1_000_000
    generated = Generated("cohere/command", "answer@1", TokenUsage(input_tokens, output_tokens), cost)
    catalog.usage.settle(reservation, generated, sources=sources)


def limit(catalog: Catalog, holder: str = "app:intranet", period: Period = Period.DAY, *, by: str = "app:cli", **limits: int) -> Budget:
    return catalog.budgets.set(Budget(holder, period, **limits), by=by)


def spent(catalog: Catalog, holder: str = "app:intranet") -> tuple[int, int]:
    (state,) = catalog.budgets.states(holder=holder)
    return state.tokens, state.micro_dollars


def test_a_reservation_counts_in_full_until_it_is_settled(catalog: Catalog):
    limit(catalog, tokens=10_000)

    reservation = reserve(catalog)
    before = spent(catalog)
    settle(catalog, reservation)

    assert before == (1_000, 5_000)
    assert spent(catalog) == (100, 100)


def test_a_second_settling_or_a_late_release_changes_nothing(catalog: Catalog):
    limit(catalog, tokens=10_000)
    reservation = reserve(catalog)

    settle(catalog, reservation, "handbook")
    settle(catalog, reservation, "wiki", input_tokens=9)
    catalog.usage.release(reservation)

    assert spent(catalog) == (100, 100)
    assert [line.key for line in catalog.usage.lines(Grouping.SOURCE, **EVER)] == ["handbook"]


def test_what_a_generator_never_told_is_booked_at_its_worst_with_whose_it_was(catalog: Catalog):
    limit(catalog, tokens=10_000)
    reservation = reserve(catalog)

    catalog.usage.write_off(reservation, "cohere/command", sources=["wiki"])
    settle(catalog, reservation, "handbook")
    catalog.usage.release(reservation)

    assert spent(catalog) == (1_000, 5_000)
    assert catalog.usage.lines(Grouping.SOURCE, **EVER) == [UsageLine("wiki", 1, 900, 100, 5_000)]
    assert [line.key for line in catalog.usage.lines(Grouping.GENERATOR, **EVER)] == ["cohere/command"]


def test_what_is_released_was_never_spent(catalog: Catalog):
    limit(catalog, tokens=1_000)

    catalog.usage.release(reserve(catalog))

    assert spent(catalog) == (0, 0)
    assert catalog.usage.lines(Grouping.DAY, **EVER) == []
    reserve(catalog)


@pytest.mark.parametrize(
    ("limits", "said"),
    [({"tokens": 2_999}, "2999 tokens a day for app:intranet"), ({"micro_dollars": 14_999}, "0.01 US dollars a day for app:intranet")],
    ids=["tokens", "dollars"],
)
def test_a_budget_is_a_hard_stop_that_says_which_it_is_and_when_it_starts_anew(catalog: Catalog, limits: dict[str, int], said: str):
    limit(catalog, **limits)
    reserve(catalog)
    reserve(catalog)
    before = spent(catalog)

    with pytest.raises(BudgetExceeded) as refused:
        reserve(catalog)

    assert refused.value.limit == f"{said}, anew at 2026-03-02T00:00:00Z"
    assert refused.value.retry_after_seconds == 15 * 3600
    assert spent(catalog) == before
    assert [line.answers for line in catalog.usage.lines(Grouping.APPLICATION, **EVER)] == [2]


def test_the_last_token_of_a_budget_may_be_spent(catalog: Catalog):
    limit(catalog, tokens=2_000, micro_dollars=10_000)

    reserve(catalog)
    reserve(catalog)

    assert spent(catalog) == (2_000, 10_000)


def test_a_new_period_starts_anew(catalog: Catalog, clock: FakeClock):
    limit(catalog, tokens=1_000)
    limit(catalog, period=Period.MONTH, tokens=2_000)
    reserve(catalog)

    clock.at += timedelta(days=1)
    reserve(catalog)
    clock.at += timedelta(days=1)
    with pytest.raises(BudgetExceeded, match="2000 tokens a month for app:intranet, anew at 2026-04-01"):
        reserve(catalog)
    clock.at = datetime(2026, 4, 1, tzinfo=UTC)
    reserve(catalog)


def test_what_is_settled_after_midnight_is_booked_on_the_day_it_was_reserved(catalog: Catalog, clock: FakeClock):
    limit(catalog, tokens=1_000)
    clock.at = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
    reservation = reserve(catalog)

    clock.at += timedelta(seconds=2)
    settle(catalog, reservation)

    assert spent(catalog) == (0, 0)
    clock.at -= timedelta(seconds=2)
    assert spent(catalog) == (100, 100)


def test_every_budget_that_an_answer_falls_under_must_suffice(catalog: Catalog):
    catalog.directory.add(Entry("user:ann", "Ann", attributes={ENTERPRISE_URN: {"department": "Legal"}}))
    limit(catalog, tokens=100_000)

    for holder in ("all", "team:Legal"):
        limit(catalog, holder, tokens=999)
        with pytest.raises(BudgetExceeded, match=holder):
            reserve(catalog)
        limit(catalog, holder)
    limit(catalog, "team:Finance", tokens=1)
    reserve(catalog)


def test_a_team_is_the_askers_or_else_the_applications(catalog: Catalog):
    catalog.directory.add(Entry("app:intranet", "Intranet", attributes={"team": "Platform"}))
    catalog.directory.add(Entry("user:eve", "Eve", attributes={"team": " Field  sales "}))

    for principal in (ANN, Principal("eve", through=INTRANET), BOB, INTRANET):
        settle(catalog, reserve(catalog, principal))

    teams = {line.key: line.answers for line in catalog.usage.lines(Grouping.TEAM, **EVER)}
    assert teams == {"Platform": 2, "Field sales": 1, "": 1}
    applications = {line.key: line.answers for line in catalog.usage.lines(Grouping.APPLICATION, **EVER)}
    assert applications == {"app:intranet": 3, "": 1}


def test_a_budget_in_dollars_is_kept_by_asking_no_model_without_a_price(catalog: Catalog):
    unpriced = Spending(TokenUsage(900, 100), None)
    reserve(catalog, worst=unpriced)
    limit(catalog, micro_dollars=10**9)

    with pytest.raises(ModelUnavailable, match="price"):
        reserve(catalog, worst=unpriced)
    assert spent(catalog) == (1_000, 0)


def test_a_budget_counts_what_was_spent_before_it_was_set(catalog: Catalog):
    settle(catalog, reserve(catalog))
    limit(catalog, tokens=1_099)

    with pytest.raises(BudgetExceeded):
        reserve(catalog)


def test_sixteen_at_once_exceed_no_budget_and_waste_none_of_it(catalog: Catalog):
    limit(catalog, tokens=10_500)

    def ask(_: int) -> bool:
        try:
            reserve(catalog)
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        answered = sum(threads.map(ask, range(48)))

    assert answered == 10
    assert spent(catalog) == (10_000, 50_000)


def test_what_was_reserved_by_a_process_that_died_stays_booked(make_catalog: Callable[..., Catalog], clock: FakeClock):
    dying, other = make_catalog(clock=clock), make_catalog(clock=clock)
    limit(other, tokens=1_500)
    reserve(dying)
    dying.close()

    clock.at += timedelta(hours=2)

    assert spent(other) == (1_000, 5_000)
    with pytest.raises(BudgetExceeded):
        reserve(other)


@pytest.mark.parametrize("seed", range(3))
def test_the_sums_are_those_of_what_was_spent(catalog: Catalog, clock: FakeClock, seed: int):
    chance = random.Random(seed)
    limit(catalog, tokens=9_000)
    opened: list[Reservation] = []

    for _ in range(60):
        clock.at += timedelta(hours=chance.choice([0, 0, 1, 30]))
        act = chance.random()
        if act < 0.5 or not opened:
            try:
                opened.append(reserve(catalog, chance.choice([ANN, BOB, INTRANET])))
            except BudgetExceeded:
                continue
        elif act < 0.8:
            settle(catalog, chance.choice(opened), input_tokens=chance.randrange(2_000))
        else:
            catalog.usage.release(opened.pop(chance.randrange(len(opened))))

    with catalog.database.read() as connection:
        for row in connection.execute(select(spending)).all():
            mine = usage.c.at >= row.starts_at, usage.c.at < stamp(Period(row.period).end(datetime.fromisoformat(row.starts_at)))
            whose = [usage.c.application == row.holder] if row.holder != "all" else []
            sums = (
                func.coalesce(func.sum(usage.c.input_tokens + usage.c.output_tokens), 0),
                func.coalesce(func.sum(usage.c.micro_dollars), 0),
            )
            assert tuple(connection.execute(select(*sums).where(*mine, *whose)).one()) == (row.tokens, row.micro_dollars)


def test_a_source_has_its_share_of_an_answer_that_cites_several(catalog: Catalog):
    settle(catalog, reserve(catalog), "wiki", "handbook", "wiki", input_tokens=80, output_tokens=20)
    settle(catalog, reserve(catalog), "wiki", input_tokens=10, output_tokens=0)
    settle(catalog, reserve(catalog), input_tokens=1, output_tokens=0)

    assert catalog.usage.lines(Grouping.SOURCE, **EVER) == [
        UsageLine("wiki", 1.5, 50, 10, 60),
        UsageLine("handbook", 0.5, 40, 10, 50),
        UsageLine("", 1, 1, 0, 1),
    ]


def test_days_come_in_order_and_only_those_asked_for(catalog: Catalog, clock: FakeClock):
    for day, tokens in ((1, 5), (2, 500), (3, 50)):
        clock.at = datetime(2026, 3, day, tzinfo=UTC)
        settle(catalog, reserve(catalog), input_tokens=tokens)
    window = {"since": datetime(2026, 3, 1, tzinfo=UTC), "until": datetime(2026, 3, 3, tzinfo=UTC)}

    assert [line.key for line in catalog.usage.lines(Grouping.DAY, **window, most=9)] == ["2026-03-01", "2026-03-02"]
    assert [line.key for line in catalog.usage.lines(Grouping.DAY, **window, most=1)] == ["2026-03-01"]
    assert [line.input_tokens for line in catalog.usage.lines(Grouping.GENERATOR, **EVER)] == [555]


def test_budgets_have_a_history_and_every_change_is_recorded(catalog: Catalog, clock: FakeClock):
    first = limit(catalog, tokens=5, by="user:dana")
    clock.at += timedelta(hours=1)
    second = limit(catalog, tokens=7, micro_dollars=9, by="user:olga")
    limit(catalog, "all", tokens=1)
    lifted = limit(catalog, "all")

    assert (first.version, second.version, lifted.version) == (1, 2, 2)
    assert catalog.budgets.history("app:intranet") == [second, first]
    assert [state.budget for state in catalog.budgets.states()] == [second]
    records = catalog.audit.read(AUDITOR, AuditFilter(), before=None, limit=20, request_id=None)
    changes = [(found["actor"], found["details"]) for found in (record.fields for record in records) if found["action"] == "budget.changed"]
    assert changes[2] == ("user:olga", {"holder": "app:intranet", "period": "day", "version": 2, "tokens": 7, "micro_dollars": 9})
    assert len(changes) == 4


@pytest.mark.parametrize("holder", ["", "user:ann", "group:x", "everyone", "app:", "team:", "team: ", "team:\x1b", "team:" + "x" * 300])
def test_only_applications_teams_and_the_whole_service_hold_budgets(holder: str):
    with pytest.raises(InvalidInput, match="holder"):
        Budget(holder, Period.DAY, tokens=1)


@pytest.mark.parametrize(("tokens", "micro_dollars"), [(-1, None), (None, -1), (10**16, None), (None, 10**16)])
def test_a_budget_is_a_number_that_can_be_counted(tokens: int | None, micro_dollars: int | None):
    with pytest.raises(InvalidInput, match="out of range"):
        Budget("all", Period.DAY, tokens, micro_dollars)
