"""Budgets: set with a history, and compared with what has been spent."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import budgets, spending
from retrieval.domain.audit import AuditAction, AuditEntry
from retrieval.domain.clock import stamp
from retrieval.domain.usage import Budget, BudgetState, Period


class CatalogBudgets:
    """`Budgets` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, budget: Budget, *, by: str) -> Budget:
        mine = (budgets.c.holder == budget.holder, budgets.c.period == budget.period.value)
        with self._database.write() as connection:
            version = (connection.scalar(select(func.max(budgets.c.version)).where(*mine)) or 0) + 1
            now = self._database.now()
            limits = {"tokens": budget.tokens, "micro_dollars": budget.micro_dollars}
            named = {"holder": budget.holder, "period": budget.period.value, "version": version}
            connection.execute(insert(budgets).values(**named, **limits, set_at=now, set_by=by))
            append(connection, AuditEntry(AuditAction.BUDGET_CHANGED, by, details={**named, **limits}), at=now)
        return Budget(budget.holder, budget.period, budget.tokens, budget.micro_dollars, version, now, by)

    def states(self, *, holder: str | None = None) -> list[BudgetState]:
        now = self._database.clock.now()
        with self._database.read() as connection:
            found = in_force(connection, None if holder is None else (holder,))
            return [_state(connection, budget, now) for budget in found]

    def history(self, holder: str) -> list[Budget]:
        mine = select(budgets).where(budgets.c.holder == holder)
        with self._database.read() as connection:
            rows = connection.execute(mine.order_by(budgets.c.set_at.desc(), budgets.c.period, budgets.c.version.desc()))
            return [_budget(row) for row in rows]


def in_force(connection: Connection, holders: tuple[str, ...] | None) -> list[Budget]:
    """The budgets that limit these holders, or anybody, in the order of holders and periods."""
    newest = select(budgets.c.holder, budgets.c.period, func.max(budgets.c.version).label("version"))
    newest = newest.group_by(budgets.c.holder, budgets.c.period)
    if holders is not None:
        newest = newest.where(budgets.c.holder.in_(holders))
    last = newest.subquery()
    is_last = and_(budgets.c.holder == last.c.holder, budgets.c.period == last.c.period, budgets.c.version == last.c.version)
    limiting = select(budgets).join(last, is_last).where(or_(budgets.c.tokens.is_not(None), budgets.c.micro_dollars.is_not(None)))
    return [_budget(row) for row in connection.execute(limiting.order_by(budgets.c.holder, budgets.c.period))]


def _state(connection: Connection, budget: Budget, now: datetime) -> BudgetState:
    spent = connection.execute(
        select(spending.c.tokens, spending.c.micro_dollars).where(
            spending.c.holder == budget.holder,
            spending.c.period == budget.period.value,
            spending.c.starts_at == stamp(budget.period.start(now)),
        )
    ).one_or_none()
    tokens, micro_dollars = (0, 0) if spent is None else spent
    return BudgetState(budget, tokens, micro_dollars, budget.period.end(now))


def _budget(row: Row[Any]) -> Budget:
    return Budget(row.holder, Period(row.period), row.tokens, row.micro_dollars, row.version, row.set_at, row.set_by)
