"""PATCH (RFC 7644, section 3.5.2) as the RFC, Entra ID and Okta write it. Operations are read once and then applied to a resource.

Entra ID writes `Add` and `Replace`, booleans as strings, paths such as `emails[type eq "work"].value`, and without a path keys such as
`name.givenName`. It removes members by a list of values. Okta replaces without a path. All of it means what the RFC means.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from api.scim.errors import invalid
from api.scim.filters import Condition, Path, path_of
from api.scim.schemas import Attribute, ResourceType, Type
from api.scim.values import Json, typed

READ_ONLY = frozenset({"id", "schemas", "meta"})
MAX_PATH_CHARACTERS = 512


class Verb(StrEnum):
    """What an operation does."""

    ADD = "add"
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True)
class Operation:
    """One change of one attribute. `value` is None where none was given."""

    verb: Verb
    path: Path
    value: object


def operations_of(body: Mapping[str, object], kind: ResourceType, *, limit: int, id_: str) -> list[Operation]:
    """What a PATCH body asks for, attribute by attribute. What it says of attributes that are not served is left out.

    Raises:
        ScimError: `invalidSyntax`, `invalidPath`, `invalidFilter`, `noTarget`, `mutability` or `tooMany`.
    """
    written = next((value for name, value in body.items() if name.lower() == "operations"), None)
    if not isinstance(written, list) or not written:
        raise invalid("invalidSyntax", "Operations: must be a list with at least one operation")
    if len(written) > limit:
        raise invalid("tooMany", f"Operations: at most {limit} in one request")
    return [operation for each in written for operation in _operations(each, kind, id_)]


def apply(operation: Operation, resource: Json, kind: ResourceType) -> None:
    """Change the resource as the operation says."""
    place, value = operation.path.place, operation.value
    holder, attribute = place.within(resource, kind), place.attribute
    if operation.path.which:
        _apply_to_elements(operation, holder, attribute)
    elif operation.verb is Verb.REMOVE or value is None:
        _remove(operation, holder, attribute)
    elif operation.path.part is not None:
        _set_part(holder, attribute, operation.path.part, value)
    elif attribute.is_many and operation.verb is Verb.ADD:
        holder[attribute.name] = _together(_elements(holder, attribute), typed(attribute, value))
    elif attribute.type is Type.COMPLEX and not attribute.is_many:
        holder[attribute.name] = {**_object(holder, attribute), **_object({attribute.name: typed(attribute, value)}, attribute)}
    else:
        holder[attribute.name] = typed(attribute, value)


def _operations(written: object, kind: ResourceType, id_: str) -> Iterator[Operation]:
    if not isinstance(written, Mapping):
        raise invalid("invalidSyntax", "Operations: must be objects with op, path and value")
    fields = {str(name).lower(): value for name, value in written.items()}
    verb, path, value = _verb(fields.get("op")), fields.get("path"), fields.get("value")
    if path is not None and not isinstance(path, str):
        raise invalid("invalidPath", "path: must be a string")
    if path:
        yield from _at(verb, path, value, kind, id_)
    elif verb is Verb.REMOVE:
        raise invalid("noTarget", "remove: needs a path")
    elif not isinstance(value, Mapping):
        raise invalid("invalidValue", "value: must be an object when there is no path")
    else:
        for name, each in value.items():
            yield from _at(verb, str(name), each, kind, id_)


def _at(verb: Verb, path: str, value: object, kind: ResourceType, id_: str) -> Iterator[Operation]:
    if len(path) > MAX_PATH_CHARACTERS:
        raise invalid("invalidPath", f"path: at most {MAX_PATH_CHARACTERS} characters")
    extension = kind.schema(path)
    if extension is not None and isinstance(value, Mapping):  # a schema's attributes together, under its URN
        for name, each in value.items():
            yield from _at(verb, f"{extension.urn}:{name}", each, kind, id_)
        return
    if path.lower() in READ_ONLY:
        if path.lower() == "id" and value != id_:  # Okta repeats the id that it changes
            raise invalid("mutability", "id: cannot be changed")
        return
    found = path_of(path, kind)
    if found is not None:
        yield Operation(verb, found, value)


def _verb(written: object) -> Verb:
    try:
        return Verb(str(written).lower())
    except ValueError as error:
        raise invalid("invalidSyntax", "op: one of add, replace, remove") from error


def _apply_to_elements(operation: Operation, holder: Json, attribute: Attribute) -> None:
    part, which = operation.path.part, operation.path.which
    elements = _elements(holder, attribute)
    chosen = [element for element in elements if all(_holds(element, condition) for condition in which)]
    if operation.verb is Verb.REMOVE or operation.value is None:
        for element in chosen:
            if part is None:
                elements.remove(element)
            else:
                element.pop(part.name, None)
    else:
        if not chosen and operation.verb is Verb.REPLACE:
            raise invalid("noTarget", f"{attribute.name}: no element is as the path says")
        if not chosen:
            chosen = [_made(attribute, which)]
            elements += chosen
        given = {part.name: typed(part, operation.value)} if part is not None else _element(attribute, operation.value)
        for element in chosen:
            element.update(given)
    holder[attribute.name] = elements


def _remove(operation: Operation, holder: Json, attribute: Attribute) -> None:
    part = operation.path.part
    if operation.verb is Verb.REMOVE and operation.value is not None and attribute.is_many and part is None:
        gone = typed(attribute, operation.value)
        assert isinstance(gone, list)
        holder[attribute.name] = [element for element in _plain_elements(holder, attribute) if element not in gone]
    elif part is None:
        holder[attribute.name] = None
    else:
        for element in _elements(holder, attribute) if attribute.is_many else [_object(holder, attribute)]:
            element.pop(part.name, None)


def _set_part(holder: Json, attribute: Attribute, part: Attribute, value: object) -> None:
    if attribute.is_many:
        for element in _elements(holder, attribute):
            element[part.name] = typed(part, value)
    else:
        holder[attribute.name] = {**_object(holder, attribute), part.name: typed(part, value)}


def _holds(element: Json, condition: Condition) -> bool:
    held = next((value for name, value in element.items() if name.lower() == condition.name), None)
    if isinstance(held, str) and isinstance(condition.value, str):
        return held.lower() == condition.value.lower()
    return held == condition.value


def _made(attribute: Attribute, which: tuple[Condition, ...]) -> Json:
    """The element that Entra ID means to add by naming what it should be: `emails[type eq "work"].value`."""
    named = ((attribute.part(condition.name), condition.value) for condition in which)
    return {part.name: typed(part, value) for part, value in named if part is not None}


def _element(attribute: Attribute, value: object) -> Json:
    made = typed(attribute, value)
    assert isinstance(made, list)
    return {} if not made else dict(made[0])


def _together(there: "list[Json]", more: object) -> list[object]:
    assert isinstance(more, list)
    return [*there, *(element for element in more if element not in there)]


def _elements(holder: Json, attribute: Attribute) -> "list[Json]":
    found = _plain_elements(holder, attribute)
    return [dict(element) if isinstance(element, Mapping) else element for element in found]  # type: ignore[misc]  # regions are strings


def _plain_elements(holder: Json, attribute: Attribute) -> list[object]:
    found = holder.get(attribute.name) or []
    assert isinstance(found, list)
    return found


def _object(holder: Json, attribute: Attribute) -> Json:
    found = holder.get(attribute.name) or {}
    assert isinstance(found, dict)
    return found
