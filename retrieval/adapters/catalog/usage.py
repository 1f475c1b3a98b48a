"""What answers cost, reserved before and settled afterwards.

The sums that budgets are compared with are moved in the transaction that writes what they are sums of. A reservation adds its worst case
to them first and then looks whether a budget is exceeded; if one is, nothing of it stays. Rows are locked in one order, that of
their keys, so that on PostgreSQL, too, of two that draw on one budget the second sees what the first took.
"""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from retrieval.adapters.catalog.budgets import in_force
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import directory, spending, usage
from retrieval.domain.answers import Generated
from retrieval.domain.clock import stamp, unstamp
from retrieval.domain.errors import BudgetExceeded, ModelUnavailable
from retrieval.domain.permissions import Principal
from retrieval.domain.usage import (
    MICRO,
    Budget,
    Grouping,
    Period,
    Reservation,
    Spending,
    UsageLine,
    application_of,
    holders_of,
    team_of,
)

_ID_BYTES = 12
_DAY_CHARACTERS = 10


class CatalogUsage:
    """`UsageMeter` and `UsageReader` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve(self, principal: Principal, worst: Spending, *, prompt: str, request_id: str | None) -> Reservation:
        now = self._database.clock.now()
        reservation = Reservation("use_" + secrets.token_hex(_ID_BYTES))
        with self._database.write() as connection:
            application = application_of(principal)
            team = _team(connection, principal.subject, application)
            holders = holders_of(application, team)
            spent = _add(connection, holders, now, worst.tokens, worst.micro_dollars or 0)
            for budget in in_force(connection, holders):
                _check(budget, spent[budget.holder, budget.period], worst, now)
            connection.execute(
                insert(usage).values(
                    id=reservation.id,
                    at=stamp(now),
                    application=application,
                    team=team,
                    sources="[]",
                    generator="",
                    prompt=prompt,
                    input_tokens=worst.usage.input_tokens,
                    output_tokens=worst.usage.output_tokens,
                    micro_dollars=worst.micro_dollars or 0,
                    request_id=request_id,
                )
            )
        return reservation

    def settle(self, reservation: Reservation, generated: Generated, *, sources: Collection[str]) -> None:
        cost = round(generated.cost * MICRO)
        spent = {"input_tokens": generated.usage.input_tokens, "output_tokens": generated.usage.output_tokens, "micro_dollars": cost}
        with self._database.write() as connection:
            row = _open_row(connection, reservation)
            if row is not None:
                self._close(connection, reservation, generated.by, sources, spent)
                used = generated.usage.input_tokens + generated.usage.output_tokens
                _correct(connection, row, used - row.input_tokens - row.output_tokens, cost - row.micro_dollars)

    def write_off(self, reservation: Reservation, by: str, *, sources: Collection[str]) -> None:
        with self._database.write() as connection:
            if _open_row(connection, reservation) is not None:
                self._close(connection, reservation, by, sources, {})

    def release(self, reservation: Reservation) -> None:
        with self._database.write() as connection:
            row = _open_row(connection, reservation)
            if row is None:
                return
            connection.execute(delete(usage).where(usage.c.id == reservation.id))
            _correct(connection, row, -row.input_tokens - row.output_tokens, -row.micro_dollars)

    def _close(self, connection: Connection, reservation: Reservation, by: str, sources: Collection[str], spent: Mapping[str, int]) -> None:
        known = {"generator": by, "sources": json.dumps(sorted(set(sources))), "settled_at": self._database.now()}
        connection.execute(update(usage).where(usage.c.id == reservation.id).values(**known, **spent))

    def lines(self, by: Grouping, *, since: datetime, until: datetime, most: int) -> list[UsageLine]:
        key = {
            Grouping.APPLICATION: usage.c.application,
            Grouping.TEAM: usage.c.team,
            Grouping.SOURCE: usage.c.sources,
            Grouping.GENERATOR: usage.c.generator,
            Grouping.DAY: func.substr(usage.c.at, 1, _DAY_CHARACTERS),
        }[by]
        sums = [func.sum(column) for column in (usage.c.input_tokens, usage.c.output_tokens, usage.c.micro_dollars)]
        spent = select(key, func.count(), *sums).where(usage.c.at >= stamp(since), usage.c.at < stamp(until)).group_by(key)
        with self._database.read() as connection:
            found = [UsageLine(line[0], *(float(number) for number in line[1:])) for line in connection.execute(spent)]
        if by is Grouping.SOURCE:
            found = _by_source(found)
        if by is Grouping.DAY:
            return sorted(found, key=lambda line: line.key)[:most]
        return sorted(found, key=lambda line: (-line.micro_dollars, -line.input_tokens - line.output_tokens, line.key))[:most]


def _team(connection: Connection, *subjects: str) -> str:
    """Of the first of the subjects whose directory entry names one."""
    entries = select(directory.c.subject, directory.c.attributes).where(directory.c.subject.in_(subjects))
    named = {row.subject: team_of(json.loads(row.attributes)) for row in connection.execute(entries)}
    return next((team for subject in subjects if (team := named.get(subject))), "")


def _add(
    connection: Connection, holders: Sequence[str], at: datetime, tokens: int, micro_dollars: int
) -> dict[tuple[str, Period], tuple[int, int]]:
    """Add to what the holders have spent in the periods that `at` is in; what they have spent then."""
    write = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    sums = {}
    for holder in sorted(holders):
        for period in sorted(Period):
            row = {"holder": holder, "period": period.value, "starts_at": stamp(period.start(at))}
            new: Any = write(spending).values(**row, tokens=tokens, micro_dollars=micro_dollars)
            more = {name: spending.c[name] + new.excluded[name] for name in ("tokens", "micro_dollars")}
            added = new.on_conflict_do_update(index_elements=list(row), set_=more).returning(spending.c.tokens, spending.c.micro_dollars)
            sums[holder, period] = tuple(connection.execute(added).one())
    return sums


def _check(budget: Budget, spent: tuple[int, int], worst: Spending, now: datetime) -> None:
    tokens, micro_dollars = spent
    if budget.micro_dollars is not None and worst.micro_dollars is None:
        raise ModelUnavailable("a budget in dollars cannot be kept: a generator has no price in the settings")
    if budget.tokens is not None and tokens > budget.tokens:
        _refuse(f"{budget.tokens} tokens", budget, now)
    if budget.micro_dollars is not None and micro_dollars > budget.micro_dollars:
        _refuse(f"{budget.micro_dollars / MICRO:.2f} US dollars", budget, now)


def _refuse(amount: str, budget: Budget, now: datetime) -> None:
    anew = budget.period.end(now)
    limit = f"{amount} a {budget.period.value} for {budget.holder}, anew at {anew:%Y-%m-%dT%H:%M:%SZ}"
    raise BudgetExceeded(limit, retry_after_seconds=max(1, int((anew - now).total_seconds())))


def _open_row(connection: Connection, reservation: Reservation) -> Any:  # noqa: ANN401 - SQLAlchemy's rows are untyped
    """The reservation's row, locked, if it is neither settled nor released."""
    mine = select(usage).where(usage.c.id == reservation.id, usage.c.settled_at.is_(None))
    return connection.execute(mine.with_for_update()).one_or_none()


def _correct(connection: Connection, row: Any, tokens: int, micro_dollars: int) -> None:  # noqa: ANN401 - as above
    """Move the sums of the periods that the reservation was made in."""
    _add(connection, holders_of(row.application, row.team), unstamp(row.at), tokens, micro_dollars)


def _by_source(found: Sequence[UsageLine]) -> list[UsageLine]:
    """Each line's numbers shared out evenly among the sources that its key, a JSON list, names."""
    sums: dict[str, list[float]] = {}
    for line in found:
        named = json.loads(line.key) or [""]
        for source in named:
            numbers = sums.setdefault(source, [0.0] * 4)
            for at, number in enumerate((line.answers, line.input_tokens, line.output_tokens, line.micro_dollars)):
                numbers[at] += number / len(named)
    return [UsageLine(source, *numbers) for source, numbers in sums.items()]
