"""How reviewing goes, over the escalations that the reviewer may see."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.web.console import console_of
from api.web.guarded import requires_session
from api.web.plots import MIN_DRAFTS, STACK, calibration, coverage_and_risk, volume
from api.web.sessions import PATH
from retrieval.domain.roles import Role

PERIODS = (7, 30, 90)

router = APIRouter(prefix=PATH, route_class=requires_session(Role.REVIEWER), include_in_schema=False)


@router.get("/statistics")
def statistics(caller: Caller, parts: Wired, request: Request, days: Annotated[int, Query(ge=1)] = 30) -> Response:
    figures = parts.wiring.reviews.statistics(caller, days=days, request_id=request_id_of(request))
    has_curve = len(figures.drafts) >= MIN_DRAFTS
    return console_of(request).pages.page(
        request,
        "statistics",
        figures=figures,
        days=days,
        periods=PERIODS,
        states=[state.value for state in STACK],
        volume=volume(figures.volume, first=date.fromisoformat(figures.since[:10]), last=parts.clock.now().date()),
        coverage=coverage_and_risk(figures.drafts) if has_curve else None,
        calibration=calibration(figures.drafts) if has_curve else None,
        least=MIN_DRAFTS,
    )
