"""GET /curated: reviewed answers that are given again to whoever asks the same. Reviewers and owners retire them or renew them."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.cursors import list_fingerprint
from api.declared import requires
from api.dependencies import Caller, Parts, Wired
from api.errors import request_id_of
from api.idempotency import idempotent
from api.pages import Place
from api.responses.curated import CuratedChangedResponse, CuratedListResponse, State, state_named
from api.schemas import PageParameters, Text
from retrieval.domain.errors import NotReadable
from retrieval.domain.permissions import Principal
from retrieval.domain.roles import Role

router = APIRouter(route_class=idempotent(requires(Role.REVIEWER, Role.DATA_OWNER)), tags=["reviews"])

_WELL_FORMED = re.compile(r"cur_[0-9a-f]{24}")


class CuratedListParameters(PageParameters):
    """Which curated answers to list."""

    state: State | None = Field(None, description="Only those that stand so.")


class CuratedChangeRequest(BaseModel):
    """A change of a curated answer."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"expected": 2}]})

    expected: int | None = Field(
        None, ge=1, description="`number` as you have seen it; 409 when it has changed since. Null: whatever it is."
    )


class RenewRequest(CuratedChangeRequest):
    """How long it is to hold."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"days": 90, "expected": 2}]})

    days: int | None = Field(None, ge=1, description="From now on; the service has a default and an upper limit.")


class ParaphrasesRequest(CuratedChangeRequest):
    """Other ways to ask the same."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"paraphrases": ["What holiday am I entitled to?"]}]}
    )

    paraphrases: list[Text] = Field(description="In place of those that there are.")


@router.get("/curated", summary="Curated answers")
def curated(wanted: Annotated[CuratedListParameters, Query()], caller: Caller, parts: Wired, request: Request) -> CuratedListResponse:
    """Those whose every cited document you may read; for an owner who is no reviewer, those that cite a source of theirs."""
    place = Place.asked(parts, caller, list_fingerprint("curated", state=wanted.state), wanted)
    request_id = request_id_of(request)
    found = parts.wiring.learning.curated.readable(
        caller,
        state=state_named(wanted.state),
        after=place.after,
        count=place.count + 1,
        of=_sources(parts, caller, request),
        request_id=request_id,
    )
    shown = found[: place.count]
    next_cursor = place.next(shown[-1].answer.id) if len(found) > place.count else None
    return CuratedListResponse.of(shown, parts.clock.now(), request_id=request_id, next_cursor=next_cursor)


@router.post("/curated/{id}/retire", summary="Retire a curated answer")
def retire(id: str, body: CuratedChangeRequest, caller: Caller, parts: Wired, request: Request) -> CuratedChangedResponse:
    """Nobody is given it any more, for good. One of which you may not read everything is a 404, as one that is not there."""
    changed = parts.wiring.learning.curated.retire(caller, _id(id), expected=body.expected, of=_sources(parts, caller, request))
    return CuratedChangedResponse.of(changed, parts.clock.now(), request_id=request_id_of(request))


@router.post("/curated/{id}/renew", summary="Renew a curated answer")
def renew(id: str, body: RenewRequest, caller: Caller, parts: Wired, request: Request) -> CuratedChangedResponse:
    """It holds again from now on, also when it had expired or was suspended. 409 for one that is retired or stale."""
    changed = parts.wiring.learning.curated.renew(
        caller, _id(id), days=body.days, expected=body.expected, of=_sources(parts, caller, request)
    )
    return CuratedChangedResponse.of(changed, parts.clock.now(), request_id=request_id_of(request))


@router.put("/curated/{id}/paraphrases", summary="Say in which other ways it is asked")
def ask_as(id: str, body: ParaphrasesRequest, caller: Caller, parts: Wired, request: Request) -> CuratedChangedResponse:
    """Whoever asks one of them is given the answer, too."""
    changed = parts.wiring.learning.curated.ask_as(
        caller, _id(id), body.paraphrases, expected=body.expected, of=_sources(parts, caller, request)
    )
    return CuratedChangedResponse.of(changed, parts.clock.now(), request_id=request_id_of(request))


def _id(written: str) -> str:
    if not _WELL_FORMED.fullmatch(written):
        raise NotReadable("not an id")
    return written


def _sources(parts: Parts, caller: Principal, request: Request) -> Sequence[str] | None:
    """A reviewer's are all; an owner's are their own."""
    return None if Role.REVIEWER in request.state.roles else parts.wiring.learning.gaps.sources_of(caller)
