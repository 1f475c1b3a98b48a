"""Who launched a run, and whether it is theirs to change a source. The tags are written by `pipelines/coordinator.py` alone."""

import json
from dataclasses import replace

import dagster as dg

from pipelines.resources import Workbench
from retrieval.domain.errors import InvalidInput, NotAuthorised
from retrieval.domain.permissions import Principal

PERSON_TAG = "archivist/person"
"""Written over at every submission, from what the authenticating proxy says: nobody can set it by hand."""
GROUPS_TAG = "archivist/groups"
"""Their group subjects as a JSON list, by the same rule."""
ADMIN_TAG = "archivist/admin"
"""`yes` for members of the administrators' group, by the same rule."""
UNKNOWN = "app:dagster"
"""Who did it where no proxy stands in front of the Dagster UI."""
DAEMON = "system:daemon"
"""Schedules, sensors and automation."""
REFUSED = "nobody"
"""On a run that was not let in."""


def who(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> str:
    """The subject for the record, e.g. `user:dana`."""
    return context.run.tags.get(PERSON_TAG) or UNKNOWN


def person(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> Principal | None:
    """Whoever launched the run, with the groups that the proxy named; None for what Dagster itself launched."""
    principal = Principal.of_subject(who(context)) if who(context) != DAEMON else None
    return principal and replace(principal, groups=frozenset(json.loads(context.run.tags.get(GROUPS_TAG, "[]"))))


def check_may_change(context: dg.OpExecutionContext | dg.AssetExecutionContext, workbench: Workbench, source: str, *owners: str) -> None:
    """That whoever launched the run answers for the source, or is an administrator. Without a proxy everybody does.

    Args:
        context: of the run.
        workbench: whose catalog knows owners and groups.
        source: id of the source, registered or not.
        owners: further subjects for whom they must act, such as the owner of a new registration.

    Raises:
        NotAuthorised: neither.
    """
    if workbench.settings.dagster_people == "nobody" or context.run.tags.get(ADMIN_TAG) == "yes":
        return
    principal = person(context)
    if principal is None:
        raise NotAuthorised("only a person changes a source")
    acting = workbench.catalog.owned.acting(principal)
    owner = _owner(workbench, source)
    wanted = {*owners} if owner is None else {owner}
    if not wanted <= acting:
        raise NotAuthorised(f"{principal.subject} does not answer for this source: its owner is another")


def _owner(workbench: Workbench, source: str) -> str | None:
    try:
        return workbench.catalog.sources.get(source).spec.owner
    except InvalidInput:
        return None
