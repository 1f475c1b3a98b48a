"""What answers cost: tokens and micro-dollars (millionths of a US dollar, whole numbers), by whom, and how much may be spent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil

from retrieval.domain.answers import TokenUsage
from retrieval.domain.directory import check_visible
from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import Principal, PrincipalKind, check_subject

MICRO = 1_000_000
"""Micro-dollars in a dollar, and the tokens that a price is for."""
EVERYTHING = "all"
"""The holder of a budget for the whole service."""
TEAM = "team:"
"""In front of a team's name, where a holder of a budget is named."""
MAX_TEAM_CHARACTERS = 256
MOST = 10**15
"""Of tokens or micro-dollars in a budget; sums of them fit 64 bits."""
ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
"""Of the attributes that RFC 7643, section 4.3, gives employees."""


class Period(StrEnum):
    """How long a budget is for. Days and months are those of UTC."""

    DAY = "day"
    MONTH = "month"

    def start(self, moment: datetime) -> datetime:
        """Of the period that `moment` is in."""
        midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight if self is Period.DAY else midnight.replace(day=1)

    def end(self, moment: datetime) -> datetime:
        """When the next period starts."""
        start = self.start(moment)
        return start + timedelta(days=1) if self is Period.DAY else (start + timedelta(days=32)).replace(day=1)


class Grouping(StrEnum):
    """By what usage is added up."""

    APPLICATION = "application"
    TEAM = "team"
    SOURCE = "source"
    GENERATOR = "generator"
    DAY = "day"


@dataclass(frozen=True)
class Window:
    """From `since` up to, not including, `until`."""

    since: datetime
    until: datetime

    @classmethod
    def asked(cls, since: datetime | None, until: datetime | None, *, now: datetime) -> "Window":
        """What is not said is the beginning of the current month, and the end of the month that the window begins in.

        Raises:
            InvalidInput: it ends before it begins.
        """
        start = Period.MONTH.start(now) if since is None else since
        end = Period.MONTH.end(start) if until is None else until
        if end < start:
            raise InvalidInput.of("to", "is before 'from'")
        return cls(start, end)


@dataclass(frozen=True)
class Price:
    """Of one model, in US dollars for a million tokens."""

    input: float
    output: float

    def of(self, usage: TokenUsage) -> int:
        """In micro-dollars, rounded up."""
        return ceil(usage.input_tokens * self.input + usage.output_tokens * self.output)


@dataclass(frozen=True)
class Spending:
    """Tokens and what they cost. `micro_dollars` is None where a model has no price."""

    usage: TokenUsage
    micro_dollars: int | None

    @property
    def tokens(self) -> int:
        return self.usage.input_tokens + self.usage.output_tokens


@dataclass(frozen=True)
class Budget:
    """The most that a holder may spend in a period. No number: no limit of that kind.

    Attributes:
        holder: `app:<id>`, `team:<name>` or `all`.
        version: counts the changes of this holder's budget for this period, from 1.
    """

    holder: str
    period: Period
    tokens: int | None = None
    micro_dollars: int | None = None
    version: int = 1
    set_at: str = ""
    set_by: str = ""

    def __post_init__(self) -> None:
        check_holder(self.holder)
        for name, limit in (("tokens", self.tokens), ("dollars", self.micro_dollars)):
            if limit is not None and not 0 <= limit <= MOST:
                raise InvalidInput.of(name, "is out of range", limit=f"0 to {MOST if name == 'tokens' else MOST // MICRO}")


@dataclass(frozen=True)
class BudgetState:
    """A budget with what of it is spent in the current period, what is reserved included."""

    budget: Budget
    tokens: int
    micro_dollars: int
    starts_anew: datetime


@dataclass(frozen=True)
class Reservation:
    """What has been set aside for one answer, until it is settled or released."""

    id: str


@dataclass(frozen=True)
class UsageLine:
    """What was spent under one key. Of a source: its share where an answer cites several, so that lines add up to what was spent.

    Attributes:
        answers: how many were worded; of a source, the sum of its shares.
    """

    key: str
    answers: float
    input_tokens: float
    output_tokens: float
    micro_dollars: float


def check_holder(holder: str) -> str:
    """Raises InvalidInput naming `holder`."""
    if holder == EVERYTHING:
        return holder
    if holder.startswith(TEAM):
        if not holder.removeprefix(TEAM).strip() or len(holder) > MAX_TEAM_CHARACTERS + len(TEAM):
            raise InvalidInput.of("holder", "a team has a name", limit=f"1 to {MAX_TEAM_CHARACTERS} characters")
        return check_visible(holder, "holder")
    if not check_subject(holder, field="holder").startswith("app:"):
        raise InvalidInput.of("holder", "is written 'app:<id>', 'team:<name>' or 'all'")
    return holder


def application_of(principal: Principal) -> str:
    """Subject of the application that asks, itself or for a person; empty for a person who asks directly."""
    if principal.through is not None:
        return principal.through.subject
    return principal.subject if principal.kind is PrincipalKind.APP else ""


def team_of(attributes: Mapping[str, object]) -> str:
    """The team that a directory entry's attributes name: `team`, or the department that SCIM tells; else empty."""
    enterprise = attributes.get(ENTERPRISE_URN)
    department = enterprise.get("department") if isinstance(enterprise, Mapping) else None
    named = next((name for name in (attributes.get("team"), department) if isinstance(name, str)), "")
    return " ".join(named.split())[:MAX_TEAM_CHARACTERS]


def holders_of(application: str, team: str) -> tuple[str, ...]:
    """Whose budgets an answer counts against."""
    return (EVERYTHING, *([application] if application else []), *([TEAM + team] if team else []))
