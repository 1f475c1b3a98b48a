"""What the core asks of whoever counts what answers cost and holds applications and teams to their budgets."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from retrieval.domain.answers import Generated
from retrieval.domain.permissions import Principal
from retrieval.domain.usage import Budget, BudgetState, Grouping, Reservation, Spending, UsageLine


class UsageMeter(Protocol):
    """Sets aside the most that an answer can cost before a generator is asked, and books what it did cost afterwards.

    What is neither settled nor released, because the process died, stays booked at its worst case: the provider may have charged it.
    So a budget is never exceeded, by however many at once it is drawn upon and wherever they end.
    """

    def reserve(self, principal: Principal, worst: Spending, *, prompt: str, request_id: str | None) -> Reservation:
        """Set `worst` aside in the budgets of the principal's application and team.

        Raises:
            BudgetExceeded: one of them has less than that left.
            ModelUnavailable: a budget in dollars is set and the model has no price, so that it could not be kept.
        """

    def settle(self, reservation: Reservation, generated: Generated, *, sources: Collection[str]) -> None:
        """Book what it cost, in place of what was reserved. `sources`: of the answer's citations. A second settling changes nothing."""

    def write_off(self, reservation: Reservation, by: str, *, sources: Collection[str]) -> None:
        """Book the worst case for good: the generator `by` was asked and never told what it used. Changes nothing once it is settled."""

    def release(self, reservation: Reservation) -> None:
        """Give back what was reserved: no generator has been asked. Changes nothing once it is settled."""


class Budgets(Protocol):
    """The budgets in force."""

    def set(self, budget: Budget, *, by: str) -> Budget:
        """In place of the holder's budget for the period, if there is one. Without any number the holder has no limit."""

    def states(self, *, holder: str | None = None) -> list[BudgetState]:
        """Of all holders that have a budget, or of one, in the order of their names. Budgets without any number are left out."""

    def history(self, holder: str) -> list[Budget]:
        """All that the holder ever had, newest first."""


class UsageReader(Protocol):
    """What has been spent."""

    def lines(self, by: Grouping, *, since: datetime, until: datetime, most: int) -> list[UsageLine]:
        """What was spent from `since` up to, not including, `until`: days in their order, all else by cost, tokens and key.

        At most `most` lines. What was spent without an application, a team or a cited source has the key "".
        """
