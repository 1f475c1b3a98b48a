"""GET /usage: what generated answers cost, and how the budgets stand."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.declared import requires
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.responses.usage import UsageResponse
from api.schemas import Moment
from retrieval.domain.roles import Role
from retrieval.domain.usage import Grouping, Window

router = APIRouter(route_class=requires(Role.ADMIN), tags=["administration"])


class UsageParameters(BaseModel):
    """What to add up."""

    model_config = ConfigDict(extra="forbid")

    by: Grouping = Field(Grouping.APPLICATION, description="By what to add up.")
    since: Moment | None = Field(None, alias="from", description="The first moment; by default the month's beginning, in UTC.")
    until: Moment | None = Field(None, alias="to", description="The moment after the last; by default the end of that month.")


@router.get("/usage", summary="What answers cost")
def usage(wanted: Annotated[UsageParameters, Query()], _caller: Caller, parts: Wired, request: Request) -> UsageResponse:
    """Tokens and US dollars by application, team, cited source, generator or day, dearest first, and every budget.

    An answer that cites several sources is shared out evenly among them. Quotes cost nothing and are not counted.
    """
    window = Window.asked(wanted.since, wanted.until, now=parts.clock.now())
    catalog = parts.wiring.catalog
    lines = catalog.usage.lines(wanted.by, since=window.since, until=window.until, most=parts.settings.usage_max_lines)
    return UsageResponse.of(
        lines, catalog.budgets.states(), by=wanted.by.value, since=window.since, until=window.until, request_id=request_id_of(request)
    )
