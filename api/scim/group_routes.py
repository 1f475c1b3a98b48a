"""The routes under /scim/v2/Groups."""

import uuid
from collections.abc import Sequence
from http import HTTPStatus

from fastapi import Response
from fastapi.responses import JSONResponse

from api.scim.bodies import RawBody, json_object
from api.scim.groups import GroupChange, change_of, new_group, replacement
from api.scim.patch import operations_of
from api.scim.queries import entry_query, start_index
from api.scim.routing import Call, ScimCall, scim_router
from api.scim.schemas import GROUPS, PREFIX
from api.scim.showing import Projection, changed_response, group_resource, list_response, resource_response
from api.scim.values import Json
from retrieval.domain.directory import Entry, EntryPage, Manager

router = scim_router(PREFIX + GROUPS.endpoint)


@router.get("")
def list_groups(call: Call) -> JSONResponse:
    projection = Projection.of(call.request, GROUPS)
    query = entry_query(call.request, GROUPS, most=call.settings.scim_page_entries)
    page = EntryPage((), 0) if query is None else call.directory.search(query)
    return list_response(_shown(page.entries, call, projection), total=page.total, start_index=start_index(call.request))


@router.post("")
def create_group(raw: RawBody, call: Call) -> JSONResponse:
    projection = Projection.of(call.request, GROUPS)
    entry, change = new_group(json_object(raw), id_=str(uuid.uuid4()), issuer=call.issuer)
    members = change.with_subjects(call.directory.subjects_of).add
    made = call.directory.add(entry, members=members, by=call.by)
    return resource_response(_shown([made], call, projection)[0], made, HTTPStatus.CREATED)


@router.get("/{id}")
def group(id: str, call: Call) -> JSONResponse:
    entry = call.entry(id, GROUPS)
    return resource_response(_shown([entry], call, Projection.of(call.request, GROUPS))[0], entry)


@router.put("/{id}")
def replace_group(id: str, raw: RawBody, call: Call) -> JSONResponse:
    projection = Projection.of(call.request, GROUPS)
    after = _update(id, replacement(json_object(raw)), call)
    return resource_response(_shown([after], call, projection)[0], after)


@router.patch("/{id}")
def patch_group(id: str, raw: RawBody, call: Call) -> Response:
    """204, unless the request names the attributes that it wants to see."""
    projection = Projection.of(call.request, GROUPS)
    operations = operations_of(json_object(raw), GROUPS, limit=call.settings.scim_max_operations, id_=id)
    after = _update(id, change_of(operations), call)
    if not projection.only:
        return changed_response(after)
    return resource_response(_shown([after], call, projection)[0], after)


@router.delete("/{id}")
def delete_group(id: str, call: Call) -> Response:
    there = call.entry(id, GROUPS)
    call.directory.delete(there.subject, managed_by=Manager.SCIM, expected=call.expected(there), by=call.by)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _update(id_: str, change: GroupChange, call: ScimCall) -> Entry:
    there = call.entry(id_, GROUPS)
    members = change.with_subjects(call.directory.subjects_of)
    return call.directory.update(there.subject, change.edited, members=members, expected=call.expected(there), by=call.by)


def _shown(entries: Sequence[Entry], call: ScimCall, projection: Projection) -> list[Json]:
    members = call.directory.members([entry.subject for entry in entries]) if projection.wants("members") else None
    resources = (group_resource(entry, None if members is None else members[entry.subject]) for entry in entries)
    return [projection.applied(resource) for resource in resources]
