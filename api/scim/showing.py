"""Entries as the resources that clients are shown, whole or in part."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from api.scim.errors import MEDIA_TYPE, invalid
from api.scim.filters import split_urn
from api.scim.schemas import ARCHIVIST_URN, ENTERPRISE_URN, GROUPS, PREFIX, USERS, ResourceType
from api.scim.users import limits, stated
from api.scim.values import Json
from retrieval.domain.directory import Entry, EntryKind, Member

MAX_PROJECTION_CHARACTERS = 2048
_ALWAYS = frozenset({"schemas", "id"})
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


@dataclass(frozen=True)
class Projection:
    """The attributes that are wanted (`only`), or all but some (`without`). Names are in lower case, parts after a dot."""

    only: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    @classmethod
    def of(cls, request: Request, kind: ResourceType) -> "Projection":
        only, without = (_names(request.query_params.get(name, ""), kind) for name in ("attributes", "excludedAttributes"))
        if only and without:
            raise invalid("invalidValue", "attributes and excludedAttributes: give one of them")
        return cls(only, without)

    def wants(self, name: str) -> bool:
        if name in _ALWAYS or not (self.only or self.without):
            return True
        lower = name.lower()
        if self.only:
            return any(each == lower or each.startswith((f"{lower}.", f"{lower}:")) for each in self.only)
        return lower not in self.without

    def applied(self, resource: Json) -> Json:
        return {name: self._part(name, value) for name, value in resource.items() if self.wants(name)}

    def _part(self, name: str, value: object) -> object:
        if isinstance(value, list) and all(isinstance(element, dict) for element in value):
            return [self._part(name, element) for element in value]
        if not isinstance(value, dict) or name.lower() in self.only or name == "meta":
            return value
        lower = name.lower()
        parts = {part: (f"{lower}.{part.lower()}", f"{lower}:{part.lower()}") for part in value}
        if self.only:
            return {part: value[part] for part, names in parts.items() if self.only & set(names)}
        return {part: value[part] for part, names in parts.items() if not self.without & set(names)}


def user_resource(entry: Entry) -> Json:
    shown = stated(entry)
    own_limits = limits(entry)
    if own_limits:
        shown[ARCHIVIST_URN] = own_limits
    extensions = [urn for urn in (ENTERPRISE_URN, ARCHIVIST_URN) if urn in shown]
    return _framed(entry, USERS, shown, extensions)


def group_resource(entry: Entry, members: Sequence[Member] | None) -> Json:
    """None: without its members, because nobody wants them."""
    shown: Json = {"displayName": entry.name}
    if entry.external_id:
        shown["externalId"] = entry.external_id
    if members is not None:
        shown["members"] = [_member(member) for member in members if member.scim_id is not None]
    return _framed(entry, GROUPS, shown, [])


def list_response(resources: Sequence[Json], *, total: int, start_index: int) -> JSONResponse:
    return scim_response(
        {
            "schemas": [_LIST],
            "totalResults": total,
            "startIndex": start_index,
            "itemsPerPage": len(resources),
            "Resources": list(resources),
        }
    )


def resource_response(resource: Json, entry: Entry, status: HTTPStatus = HTTPStatus.OK) -> JSONResponse:
    headers = {"ETag": etag(entry)}
    if status is HTTPStatus.CREATED:
        headers["Location"] = _location(entry)
    return scim_response(resource, status, headers)


def changed_response(entry: Entry) -> Response:
    """Done, and nothing is repeated: a group may have very many members."""
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={"ETag": etag(entry)})


def scim_response(body: object, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(body, status.value, headers, media_type=MEDIA_TYPE)


def etag(entry: Entry) -> str:
    return f'W/"{entry.version}"'


def _framed(entry: Entry, kind: ResourceType, shown: Json, extensions: Sequence[str]) -> Json:
    meta = {
        "resourceType": kind.name,
        "created": entry.created_at,
        "lastModified": entry.updated_at,
        "version": etag(entry),
        "location": _location(entry),
    }
    return {"schemas": [kind.core.urn, *extensions], "id": entry.scim_id, **shown, "meta": meta}


def _location(entry: Entry) -> str:
    """A path and not an address: the name by which this service is reached is the client's to know."""
    kind = GROUPS if entry.kind is EntryKind.GROUP else USERS
    return f"{PREFIX}{kind.endpoint}/{entry.scim_id}"


def _member(member: Member) -> Json:
    kind = GROUPS if member.subject.startswith("group:") else USERS
    location = f"{PREFIX}{kind.endpoint}/{member.scim_id}"
    return {"value": member.scim_id, "display": member.name, "type": kind.name, "$ref": location}


def _names(written: str, kind: ResourceType) -> frozenset[str]:
    if len(written) > MAX_PROJECTION_CHARACTERS:
        raise invalid("invalidValue", f"attributes: at most {MAX_PROJECTION_CHARACTERS} characters")
    return frozenset(_name(name.strip(), kind) for name in written.split(",") if name.strip())


def _name(written: str, kind: ResourceType) -> str:
    if kind.schema(written) is not None:
        return written.lower()
    urn, name = split_urn(written, kind)
    return name.lower() if urn == kind.core.urn else f"{urn}:{name}".lower()
