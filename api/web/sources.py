"""The sources that somebody answers for: how each stands, what was registered when, and the way to Dagster, where they are changed."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.cursors import MAX_CURSOR_CHARACTERS, list_fingerprint
from api.dependencies import Caller, Wired
from api.pages import Place
from api.schemas import PageParameters
from api.web.console import console_of
from api.web.guarded import requires_session
from api.web.sessions import PATH
from api.web.source_changes import registrations_shown
from retrieval.domain.errors import InvalidInput
from retrieval.domain.launchpad import change_link, job_link, launchpad_link, source_links
from retrieval.domain.registration_template import form_lines
from retrieval.domain.roles import Role
from retrieval.domain.source_kinds import KINDS
from retrieval.domain.sources import SourceSpec, SourceState
from retrieval.ports.sources import SourceStatus

router = APIRouter(prefix=PATH, route_class=requires_session(Role.DATA_OWNER), include_in_schema=False)

_SAID = {
    "pause_source": "Pause",
    "resume_source": "Resume",
    "retire_source": "Retire: withdraw everything, for good",
    "delete_source": "Delete with everything derived from it",
}
_ONLY_WHERE = {"pause_source": SourceState.ACTIVE, "resume_source": SourceState.PAUSED}


@router.get("/sources")
def sources(
    caller: Caller, parts: Wired, request: Request, cursor: Annotated[str | None, Query(max_length=MAX_CURSOR_CHARACTERS)] = None
) -> Response:
    place = Place.asked(parts, caller, list_fingerprint("console sources"), PageParameters(limit=None, cursor=cursor))
    catalog, dagster = parts.wiring.catalog, parts.settings.resolved_dagster_url
    owned = catalog.owned.owned(caller, after=place.after, count=place.count + 1)
    shown = owned[: place.count]
    health = {each.source: each for each in catalog.health.of([status.source.spec.id for status in shown])} if shown else {}
    return console_of(request).pages.page(
        request,
        "sources",
        sources=[(status, health[status.source.spec.id]) for status in shown],
        next_cursor=place.next(shown[-1].source.spec.id) if len(owned) > place.count else None,
        kinds=[(kind, launchpad_link(kind, dagster)) for kind in KINDS.values()],
        dagster=dagster,
    )


@router.get("/sources/{id}")
def source(id: str, caller: Caller, parts: Wired, request: Request) -> Response:
    catalog, dagster = parts.wiring.catalog, parts.settings.resolved_dagster_url
    standing, history = catalog.owned.one(caller, id)
    [health] = catalog.health.of([id])
    return console_of(request).pages.page(
        request,
        "source",
        standing=standing,
        health=health,
        registrations=registrations_shown(history),
        change=_change(standing.source.spec, dagster),
        actions=_actions(standing, dagster),
        runs=f"{dagster}/runs?q%5B0%5D=tag%3Aarchivist%2Fsource%3D{id}",
    )


def _change(spec: SourceSpec, dagster: str) -> str | None:
    """None for a source that says more than a link holds."""
    try:
        return change_link(spec, dagster)
    except InvalidInput:
        return None


def _actions(standing: SourceStatus, dagster: str) -> list[tuple[str, str]]:
    """What can be done to a source in its state, in words, and where."""
    source, state = standing.source.spec.id, standing.source.state
    if state is SourceState.RETIRED:
        return []
    links = source_links(source, dagster)
    wanted = [(_SAID.get(job, job), link) for job, link in links.items() if _ONLY_WHERE.get(job, state) is state]
    ways_back = {"Go back to earlier versions": {"time": ""}}
    if standing.last_run is not None:
        ways_back = {"Take back what the last run changed": {"undo_run": standing.last_run.id}} | ways_back
    back = [(said, job_link("rollback", form_lines({"source": source, **to, "dry_run": True}), dagster)) for said, to in ways_back.items()]
    return [*wanted, *back]
