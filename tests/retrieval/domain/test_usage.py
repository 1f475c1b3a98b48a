from datetime import UTC, datetime, timedelta, timezone

import pytest

from retrieval.domain.answers import TokenUsage
from retrieval.domain.errors import InvalidInput
from retrieval.domain.usage import ENTERPRISE_URN, Period, Price, Window, team_of
from retrieval.ports.generation import GenerationTask, GroundingPassage
from retrieval.steps.metering import TOKENS_AROUND_PASSAGE, worst_case

NEW_YEARS_EVE = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


def test_periods_are_those_of_utc_and_meet_without_a_gap():
    assert Period.DAY.start(NEW_YEARS_EVE) == datetime(2026, 12, 31, tzinfo=UTC)
    assert Period.DAY.end(NEW_YEARS_EVE) == Period.MONTH.end(NEW_YEARS_EVE) == datetime(2027, 1, 1, tzinfo=UTC)
    assert Period.MONTH.start(NEW_YEARS_EVE) == datetime(2026, 12, 1, tzinfo=UTC)
    assert Period.DAY.start(NEW_YEARS_EVE.astimezone(timezone(timedelta(hours=5)))) == datetime(2026, 12, 31, tzinfo=UTC)
    assert Period.MONTH.end(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2028, 3, 1, tzinfo=UTC)


def test_a_window_is_this_month_unless_it_is_said():
    december, january = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    assert Window.asked(None, None, now=NEW_YEARS_EVE) == Window(december, january)
    assert Window.asked(NEW_YEARS_EVE, None, now=january) == Window(NEW_YEARS_EVE, january)
    with pytest.raises(InvalidInput, match="to"):
        Window.asked(january, december, now=january)


def test_a_price_is_for_a_million_tokens_and_rounds_up():
    assert Price(2.5, 10).of(TokenUsage(1_000_000, 100_000)) == 3_500_000
    assert Price(0.15, 0.6).of(TokenUsage(1, 0)) == 1
    assert Price(0, 0).of(TokenUsage(9, 9)) == 0


@pytest.mark.parametrize(
    ("attributes", "team"),
    [
        ({"team": " Field  sales "}, "Field sales"),
        ({"team": "Sales", ENTERPRISE_URN: {"department": "Legal"}}, "Sales"),
        ({ENTERPRISE_URN: {"department": "Legal"}}, "Legal"),
        ({"team": ["Sales"], ENTERPRISE_URN: "Legal"}, ""),
        ({"team": "x" * 300}, "x" * 256),
        ({}, ""),
    ],
)
def test_a_team_is_a_name_that_the_directory_tells(attributes: dict[str, object], team: str):
    assert team_of(attributes) == team


def test_the_worst_case_is_a_token_for_every_byte_and_the_dearest_price():
    task = GenerationTask("answer@1", "äb", "c", (GroundingPassage("1", "t", "text"),), "r", 100)

    worst = worst_case(task, [Price(1, 2), Price(3, 1)])

    assert worst.usage == TokenUsage(3 + 1 + 1 + 1 + 1 + 4 + 4 * TOKENS_AROUND_PASSAGE, 100)
    assert worst.micro_dollars == 3 * worst.usage.input_tokens + 100
    assert worst_case(task, [Price(1, 2), None]).micro_dollars is None
    assert worst_case(task, []).micro_dollars == 0
