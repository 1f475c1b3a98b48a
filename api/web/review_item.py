"""One escalation as its reviewer sees it: the question, the evidence, and only then what the service would have said."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.dependencies import Caller, parts_of
from api.errors import request_id_of
from api.spreadsheets import as_csv
from api.web.citing import cited
from api.web.console import console_of
from api.web.downloads import download
from api.web.guarded import requires_session
from api.web.review_forms import ReviewForm
from api.web.review_shown import Due, Lease, ShownEvidence
from api.web.sessions import PATH
from retrieval.domain.errors import FieldProblem
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import ReviewItem
from retrieval.domain.roles import Role

MAX_FIND_CHARACTERS = 200
NOTICES = {
    "claimed": "It is yours until the lease ends.",
    "renewed": "The lease runs anew from now.",
    "decided": "Your decision has been kept.",
    "changed": "Nothing was changed: it is not any more as the page had shown it. This is how it stands now.",
}
"""What a page says of what was done just before, by the word in its address."""

router = APIRouter(prefix=PATH, route_class=requires_session(Role.REVIEWER), include_in_schema=False)


@router.get("/reviews/{id}")
def item(
    id: str, caller: Caller, request: Request, find: Annotated[str, Query(max_length=MAX_FIND_CHARACTERS)] = "", said: str = ""
) -> Response:
    return item_page(request, caller, id, find=find, notice=NOTICES.get(said, ""))


@router.get("/reviews/{id}/history.csv")
def history_file(id: str, caller: Caller, request: Request) -> Response:
    events = parts_of(request).wiring.reviews.history(caller, id, request_id=request_id_of(request))
    return download("history.csv", as_csv(("at", "by", "what", "note"), [(event.at, event.by, event.what, event.note) for event in events]))


def item_page(
    request: Request,
    caller: Principal,
    id_: str,
    *,
    find: str = "",
    notice: str = "",
    form: ReviewForm | None = None,
    problems: Sequence[FieldProblem] = (),
) -> Response:
    """The item as it is now. `form`: what the reviewer had written, where it has to be written on. Raises NotReadable."""
    parts, request_id = parts_of(request), request_id_of(request)
    found: ReviewItem = parts.wiring.reviews.item(caller, id_, request_id=request_id)
    modified = {evidence.passage.id: evidence.passage.modified_at for evidence in found.evidence}
    now = parts.clock.now()
    return console_of(request).pages.page(
        request,
        "review",
        status=422 if problems else 200,
        item=found,
        entry=found.entry,
        due=Due.of(found.entry, now),
        lease=Lease.of(found.entry, now),
        evidence=[ShownEvidence.of(evidence, found.entry.question, find) for evidence in found.evidence],
        draft=cited(found.draft, modified),
        resolved=None if found.resolution is None else cited(found.resolution.sentences, modified),
        events=parts.wiring.reviews.history(caller, id_, request_id=request_id),
        form=form or ReviewForm.drafted(found),
        problems=problems,
        find=find,
        notice=notice,
        may_open=Role.USER in request.state.roles,
    )
