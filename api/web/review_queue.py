"""The reviewers' queue: most urgent first, filtered, and as a CSV file."""

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import Response

from api.cursors import MAX_CURSOR_CHARACTERS, list_fingerprint
from api.dependencies import Caller, Parts, Wired
from api.errors import request_id_of
from api.pages import Place
from api.schemas import PageParameters
from api.spreadsheets import as_csv
from api.web.console import console_of
from api.web.downloads import download
from api.web.guarded import requires_session
from api.web.review_shown import Due
from api.web.sessions import PATH
from retrieval.domain.answers import Reason
from retrieval.domain.escalations import EscalationState
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import QueueEntry, QueueFilter
from retrieval.domain.roles import Role

COLUMNS = ("id", "state", "priority", "due", "is overdue", "reasons", "source", "asker", "reviewer", "opened", "closed", "question")

router = APIRouter(prefix=PATH, route_class=requires_session(Role.REVIEWER), include_in_schema=False)

ANY: Literal["any"] = "any"
_Unset = BeforeValidator(lambda written: written or None)
"""A form writes an empty field for what is not chosen."""


class QueueParameters(BaseModel):
    """Filters. Without a state: those that nobody works on, or of one's own all."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[EscalationState | Literal["any"] | None, _Unset] = None
    source: Annotated[str | None, _Unset] = Field(None, max_length=100)
    reason: Annotated[Reason | None, _Unset] = None
    overdue: bool = False
    mine: bool = False
    cursor: Annotated[str | None, _Unset] = Field(None, max_length=MAX_CURSOR_CHARACTERS)

    @property
    def filter(self) -> QueueFilter:
        return QueueFilter(self.state_shown, self.source, self.reason, self.overdue, self.mine)

    @property
    def state_shown(self) -> EscalationState | None:
        """None: any."""
        if self.state is None:
            return None if self.mine or self.overdue else EscalationState.OPEN
        return None if self.state == ANY else self.state

    @property
    def chosen(self) -> dict[str, str]:
        """The filters that are set, as an address has them."""
        return {name: str(value).lower() for name, value in self.model_dump(mode="json", exclude={"cursor"}).items() if value}


@router.get("/reviews")
def queue(wanted: Annotated[QueueParameters, Query()], request: Request, caller: Caller, parts: Wired) -> Response:
    place = Place.asked(parts, caller, list_fingerprint("reviews", **wanted.chosen), PageParameters(limit=None, cursor=wanted.cursor))
    found = parts.wiring.reviews.queue(caller, wanted.filter, after=place.after, count=place.count + 1, request_id=request_id_of(request))
    shown = found[: place.count]
    now = parts.clock.now()
    return console_of(request).pages.page(
        request,
        "queue",
        entries=[(entry, Due.of(entry, now)) for entry in shown],
        next_cursor=place.next(shown[-1].position) if len(found) > place.count else None,
        wanted=wanted,
        states=tuple(EscalationState),
        reasons=tuple(Reason),
    )


@router.get("/reviews.csv")
def queue_file(wanted: Annotated[QueueParameters, Query()], request: Request, caller: Caller, parts: Wired) -> Response:
    """All pages in one file. Everything in it is what the queue would show now, to whom it would show it."""
    rows = [_row(entry) for entry in _all(parts, caller, wanted.filter, request_id_of(request))]
    return download("reviews.csv", as_csv(COLUMNS, rows))


def _all(parts: Parts, caller: Principal, wanted: QueueFilter, request_id: str) -> Iterator[QueueEntry]:
    """Up to the limit of an export."""
    after, left = "", parts.settings.console_export_rows
    while left:
        count = min(parts.settings.list_max_page_entries, left)
        found = parts.wiring.reviews.queue(caller, wanted, after=after, count=count, request_id=request_id)
        yield from found
        if len(found) < count:
            return
        after, left = found[-1].position, left - count


def _row(entry: QueueEntry) -> tuple[str, ...]:
    return (
        entry.id,
        entry.state,
        entry.priority,
        entry.due_at,
        "yes" if entry.is_overdue else "no",
        " ".join(entry.reasons),
        entry.source,
        entry.asker,
        entry.claimed_by or "",
        entry.opened_at,
        entry.closed_at or "",
        entry.question,
    )
