"""/scim/v2/ServiceProviderConfig, /ResourceTypes and /Schemas: what is served, for clients that ask."""

from collections.abc import Sequence

from fastapi.responses import JSONResponse

from api.scim.errors import not_found
from api.scim.routing import Call, scim_router
from api.scim.schemas import PREFIX, RESOURCE_TYPES, SCHEMAS
from api.scim.showing import list_response, scim_response
from api.scim.values import Json

router = scim_router(PREFIX)


@router.get("/ServiceProviderConfig")
def service_provider_config(call: Call) -> JSONResponse:
    supported: Json = {"supported": True}
    unsupported: Json = {"supported": False}
    scheme = {"type": "oauthbearertoken", "name": "Bearer token", "description": "An API key or an access token with the role admin."}
    return scim_response(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": supported,
            "bulk": unsupported | {"maxOperations": 0, "maxPayloadSize": 0},
            "filter": supported | {"maxResults": call.settings.scim_page_entries},
            "changePassword": unsupported,
            "sort": unsupported,
            "etag": supported,
            "authenticationSchemes": [scheme],
            "meta": {"resourceType": "ServiceProviderConfig", "location": f"{PREFIX}/ServiceProviderConfig"},
        }
    )


@router.get("/ResourceTypes")
def resource_types() -> JSONResponse:
    return _all([kind.as_json() for kind in RESOURCE_TYPES])


@router.get("/ResourceTypes/{id}")
def resource_type(id: str) -> JSONResponse:
    return _one([kind.as_json() for kind in RESOURCE_TYPES], id)


@router.get("/Schemas")
def schemas() -> JSONResponse:
    return _all([schema.as_json() for schema in SCHEMAS])


@router.get("/Schemas/{id}")
def schema(id: str) -> JSONResponse:
    return _one([schema.as_json() for schema in SCHEMAS], id)


def _all(resources: Sequence[Json]) -> JSONResponse:
    return list_response(resources, total=len(resources), start_index=1)


def _one(resources: Sequence[Json], id_: str) -> JSONResponse:
    for resource in resources:
        if resource["id"] == id_:
            return scim_response(resource)
    raise not_found()
