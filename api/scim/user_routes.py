"""The routes under /scim/v2/Users."""

import uuid
from http import HTTPStatus

from fastapi import Response
from fastapi.responses import JSONResponse

from api.scim.bodies import RawBody, json_object
from api.scim.patch import operations_of
from api.scim.queries import entry_query, start_index
from api.scim.routing import Call, scim_router
from api.scim.schemas import PREFIX, USERS
from api.scim.showing import Projection, list_response, resource_response, user_resource
from api.scim.users import new_user, patched, replaced
from retrieval.domain.directory import EntryPage, Manager

router = scim_router(PREFIX + USERS.endpoint)


@router.get("")
def list_users(call: Call) -> JSONResponse:
    projection = Projection.of(call.request, USERS)
    query = entry_query(call.request, USERS, most=call.settings.scim_page_entries)
    page = EntryPage((), 0) if query is None else call.directory.search(query)
    resources = [projection.applied(user_resource(entry)) for entry in page.entries]
    return list_response(resources, total=page.total, start_index=start_index(call.request))


@router.post("")
def create_user(raw: RawBody, call: Call) -> JSONResponse:
    projection = Projection.of(call.request, USERS)
    entry = new_user(json_object(raw), id_=str(uuid.uuid4()), issuer=call.issuer)
    made = call.directory.add(entry, by=call.by)
    return resource_response(projection.applied(user_resource(made)), made, HTTPStatus.CREATED)


@router.get("/{id}")
def user(id: str, call: Call) -> JSONResponse:
    entry = call.entry(id, USERS)
    return resource_response(Projection.of(call.request, USERS).applied(user_resource(entry)), entry)


@router.put("/{id}")
def replace_user(id: str, raw: RawBody, call: Call) -> JSONResponse:
    projection, body = Projection.of(call.request, USERS), json_object(raw)
    there = call.entry(id, USERS)
    after = call.directory.update(there.subject, lambda entry: replaced(entry, body), expected=call.expected(there), by=call.by)
    return resource_response(projection.applied(user_resource(after)), after)


@router.patch("/{id}")
def patch_user(id: str, raw: RawBody, call: Call) -> JSONResponse:
    projection = Projection.of(call.request, USERS)
    operations = operations_of(json_object(raw), USERS, limit=call.settings.scim_max_operations, id_=id)
    there = call.entry(id, USERS)
    after = call.directory.update(there.subject, lambda entry: patched(entry, operations), expected=call.expected(there), by=call.by)
    return resource_response(projection.applied(user_resource(after)), after)


@router.delete("/{id}")
def delete_user(id: str, call: Call) -> Response:
    there = call.entry(id, USERS)
    call.directory.delete(there.subject, managed_by=Manager.SCIM, expected=call.expected(there), by=call.by)
    return Response(status_code=HTTPStatus.NO_CONTENT)
