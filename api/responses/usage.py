"""What answers cost, as administrators see it: names of applications, teams and sources with numbers, nothing of any question."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from retrieval.domain.usage import MICRO, BudgetState, UsageLine


class UsageLineOut(BaseModel):
    """What was spent under one key."""

    key: str = Field(description="An application's subject, a team, a source, a generator or a day; empty: answers that have none.")
    answers: float = Field(description="How many were worded; of a source, its shares of them.")
    input_tokens: float
    output_tokens: float
    dollars: float = Field(description="In US dollars, by the prices that the settings name.")

    @classmethod
    def of(cls, line: UsageLine) -> "UsageLineOut":
        return cls(
            key=line.key,
            answers=line.answers,
            input_tokens=line.input_tokens,
            output_tokens=line.output_tokens,
            dollars=line.micro_dollars / MICRO,
        )


class BudgetOut(BaseModel):
    """A budget and what of it is spent in its current period, what answers under way may cost included."""

    holder: str = Field(description="`app:<id>`, `team:<name>` or `all`.")
    period: Literal["day", "month"]
    tokens: int | None = Field(description="The most; null: no limit of that kind.")
    dollars: float | None
    spent_tokens: int
    spent_dollars: float
    starts_anew: datetime
    set_by: str
    set_at: str

    @classmethod
    def of(cls, state: BudgetState) -> "BudgetOut":
        budget = state.budget
        return cls(
            holder=budget.holder,
            period=budget.period.value,
            tokens=budget.tokens,
            dollars=None if budget.micro_dollars is None else budget.micro_dollars / MICRO,
            spent_tokens=state.tokens,
            spent_dollars=state.micro_dollars / MICRO,
            starts_anew=state.starts_anew,
            set_by=budget.set_by,
            set_at=budget.set_at,
        )


class UsageResponse(BaseModel):
    """What was spent from `since` up to, not including, `until`."""

    request_id: str
    by: Literal["application", "team", "source", "generator", "day"]
    since: datetime
    until: datetime
    lines: list[UsageLineOut]
    budgets: list[BudgetOut]

    @classmethod
    def of(
        cls, lines: Sequence[UsageLine], states: Sequence[BudgetState], *, by: str, since: datetime, until: datetime, request_id: str
    ) -> "UsageResponse":
        return cls.model_validate(
            {
                "request_id": request_id,
                "by": by,
                "since": since,
                "until": until,
                "lines": [UsageLineOut.of(line) for line in lines],
                "budgets": [BudgetOut.of(state) for state in states],
            }
        )
