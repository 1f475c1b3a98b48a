"""A person as a SCIM resource and as an entry of the directory."""

from collections.abc import Mapping
from dataclasses import replace

from api.scim.errors import invalid
from api.scim.patch import Operation, apply
from api.scim.schemas import ARCHIVIST_URN, USERS
from api.scim.values import Json, resource_of
from retrieval.domain.directory import Entry, EntryKind, Manager, check_regions, identify
from retrieval.domain.sources import Classification

_OWN = ("userName", "externalId", "active", ARCHIVIST_URN)
"""What has its own column; the rest of a resource is kept as it came."""


def new_user(body: Mapping[str, object], *, id_: str, issuer: str) -> Entry:
    """The entry of a person who is created. Raises ScimError or InvalidInput."""
    resource = resource_of(body, USERS)
    external_id = str(resource.get("externalId") or "")
    subject = identify(EntryKind.USER, external_id or id_, issuer=issuer, name="externalId")
    blank = Entry(subject, name="-", managed_by=Manager.SCIM, scim_id=id_, external_id=external_id)
    return edited(blank, resource)


def replaced(entry: Entry, body: Mapping[str, object]) -> Entry:
    """The entry after a PUT. What a provider does not know of, clearance and regions, it does not take away by silence."""
    return edited(entry, resource_of(body, USERS))


def patched(entry: Entry, operations: list[Operation]) -> Entry:
    """The entry after a PATCH."""
    resource = {**stated(entry), ARCHIVIST_URN: limits(entry)}
    for operation in operations:
        apply(operation, resource, USERS)
    if resource.get("active") is None or resource.get("externalId", entry.external_id) is None:
        raise invalid("mutability", "active and externalId cannot be removed")
    return edited(entry, resource)


def stated(entry: Entry) -> Json:
    """The resource as a client may state it, without id, schemas and meta."""
    own: Json = {"userName": entry.name, "active": entry.active}
    if entry.external_id:
        own["externalId"] = entry.external_id
    return {**own, **{name: _copied(value) for name, value in entry.attributes.items()}}


def limits(entry: Entry) -> Json:
    """Clearance and regions; absent: not limited."""
    shown: Json = {}
    if entry.clearance is not None:
        shown["clearance"] = entry.clearance.value
    if entry.regions is not None:
        shown["regions"] = sorted(entry.regions)
    return shown


def edited(entry: Entry, resource: Json) -> Entry:
    """The entry with what the resource states."""
    name = resource.get("userName")
    if not isinstance(name, str) or not name.strip():
        raise invalid("invalidValue", "userName: is required")
    check_external_id(entry, resource)
    active = resource.get("active", entry.active)
    attributes = {key: kept for key, value in resource.items() if key not in _OWN and (kept := _without_gaps(value)) not in (None, [], {})}
    return _limited(replace(entry, name=name, active=bool(active), attributes=attributes), resource)


def check_external_id(entry: Entry, resource: Json) -> None:
    """What names a person in tokens and permissions must not name another one tomorrow. Raises ScimError: `mutability`."""
    if resource.get("externalId", entry.external_id) != entry.external_id:
        raise invalid("mutability", "externalId: cannot be changed once the resource is there")


def _limited(entry: Entry, resource: Json) -> Entry:
    stated = resource.get(ARCHIVIST_URN)
    if not isinstance(stated, Mapping):
        return entry
    clearance, regions = entry.clearance, entry.regions
    if "clearance" in stated:
        clearance = _clearance(stated.get("clearance"))
    if "regions" in stated:
        names = stated.get("regions")
        regions = check_regions(map(str, names)) if isinstance(names, list) else None
    return replace(entry, clearance=clearance, regions=regions)


def _clearance(written: object) -> Classification | None:
    if written is None:
        return None
    try:
        return Classification(str(written))
    except ValueError as error:
        raise invalid("invalidValue", "clearance: one of " + ", ".join(each.value for each in Classification)) from error


def _without_gaps(value: object) -> object:
    """What was removed of an object is no longer named in it."""
    return {name: part for name, part in value.items() if part is not None} if isinstance(value, dict) else value


def _copied(value: object) -> object:
    """Operations change lists and objects in place; those of an entry are not theirs."""
    if isinstance(value, list):
        return [_copied(element) for element in value]
    return {name: _copied(part) for name, part in value.items()} if isinstance(value, dict) else value
