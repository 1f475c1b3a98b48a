"""What a list request asks for: its filter and its page, as a query of the directory."""

from collections.abc import Mapping

from fastapi import Request

from api.scim.errors import ScimError, invalid
from api.scim.filters import Condition, conditions
from api.scim.schemas import GROUPS, USERS, ResourceType
from retrieval.domain.directory import EntryKind, EntryQuery, is_visible

_FIELDS: Mapping[str, Mapping[str, str]] = {
    USERS.name: {"username": "name", "externalid": "external_id", "id": "scim_id"},
    GROUPS.name: {
        "displayname": "name",
        "externalid": "external_id",
        "id": "scim_id",
        "members.value": "member_scim_id",
        "members": "member_scim_id",  # as Entra ID writes it
    },
}


def entry_query(request: Request, kind: ResourceType, *, most: int) -> EntryQuery | None:
    """None when nothing can match.

    Raises:
        ScimError: `invalidFilter`, or `invalidValue` for a page that cannot be read.
    """
    found = conditions(request.query_params["filter"], kind) if request.query_params.get("filter") else ()
    fields = [(_field(condition, kind), condition.value) for condition in found]
    if len({field for field, _ in fields}) < len(fields):
        raise invalid("invalidFilter", "A filter names each attribute once.")
    if not all(isinstance(value, str) and value and is_visible(value) for _, value in fields):
        return None  # no name and no id is empty or holds a null; in an EntryQuery an empty one would stand for any
    only = EntryKind.GROUP if kind is GROUPS else EntryKind.USER
    text = {field: str(value) for field, value in fields}
    return EntryQuery(
        frozenset({only}),
        name=text.get("name", ""),
        external_id=text.get("external_id", ""),
        scim_id=text.get("scim_id", ""),
        member_scim_id=text.get("member_scim_id", ""),
        known_to_scim=True,
        skip=start_index(request) - 1,
        limit=min(max(_number(request, "count", most), 0), most),
    )


def start_index(request: Request) -> int:
    """Counted from 1; what is less counts as 1."""
    return max(_number(request, "startIndex", 1), 1)


def _number(request: Request, name: str, default: int) -> int:
    written = request.query_params.get(name, "").strip()
    digits = written.removeprefix("-")
    if not written:
        return default
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise invalid("invalidValue", f"{name}: must be a whole number of at most 9 digits")
    return int(written)


def _field(condition: Condition, kind: ResourceType) -> str:
    field = _FIELDS[kind.name].get(condition.name)
    if field is None:
        raise _unknown(kind)
    return field


def _unknown(kind: ResourceType) -> ScimError:
    return invalid("invalidFilter", "One can filter by " + ", ".join(_FIELDS[kind.name]) + ".")
