"""What a request says, brought to the schema: names in their written form, values of their type, unknown attributes left out."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.scim.errors import ScimError, invalid
from api.scim.schemas import Attribute, ResourceType, Schema, Type

Json = dict[str, object]
"""An object of a JSON body or of a resource: here, at the edge, and nowhere further in."""

MAX_VALUES = 100
"""Elements of one list attribute of a person, such as e-mail addresses."""


@dataclass(frozen=True)
class Place:
    """Where an attribute is: in the resource's own schema or in an extension."""

    schema: Schema
    attribute: Attribute

    def within(self, resource: Json, kind: ResourceType) -> Json:
        """The object that holds the attribute; an extension's is made when it is not there."""
        if self.schema is kind.core:
            return resource
        found = resource.setdefault(self.schema.urn, {})
        assert isinstance(found, dict)
        return found


def resource_of(body: Mapping[str, object], kind: ResourceType) -> Json:
    """A whole resource as a POST or a PUT states it. Extensions come under their URN, as objects."""
    resource: Json = {}
    for name, value in body.items():
        extension = kind.schema(name)
        if extension is not None and extension is not kind.core:
            resource[extension.urn] = _attributes(extension, value, extension.name)
        elif (attribute := kind.core.attribute(name)) is not None and value is not None:
            resource[attribute.name] = typed(attribute, value)
    return resource


def typed(attribute: Attribute, value: object) -> object:
    """The value if it is of the attribute's type. Raises ScimError naming the attribute."""
    if not attribute.is_many:
        return _one(attribute, value)
    elements = value if isinstance(value, list) else [value]
    if attribute.name != "members" and len(elements) > MAX_VALUES:
        raise invalid("invalidValue", f"{attribute.name}: at most {MAX_VALUES} values")
    return [_one(attribute, element) for element in elements]


def _one(attribute: Attribute, value: object) -> object:
    match attribute.type:
        case Type.BOOLEAN:
            return _boolean(attribute, value)
        case Type.COMPLEX:
            return _complex(attribute, value)
    if not isinstance(value, str):
        raise _not(attribute, "a string")
    return value


def _boolean(attribute: Attribute, value: object) -> bool:
    """Entra ID writes "True" and "False" as strings."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise _not(attribute, "true or false")


def _complex(attribute: Attribute, value: object) -> Json:
    """An object; where it has a `value`, a bare string is one, too, and so is a list of one: both are sent for `manager`."""
    match value:
        case [only] if not attribute.is_many:
            return _complex(attribute, only)
        case str() if attribute.part("value") is not None:
            return {"value": value}
        case dict():
            known = ((attribute.part(str(name)), part) for name, part in value.items())
            return {part.name: typed(part, given) for part, given in known if part is not None and given is not None}
    raise _not(attribute, "an object")


def _attributes(schema: Schema, value: object, name: str) -> Json:
    if not isinstance(value, Mapping):
        raise invalid("invalidValue", f"{name}: must be an object")
    known = ((schema.attribute(str(key)), given) for key, given in value.items())
    return {attribute.name: None if given is None else typed(attribute, given) for attribute, given in known if attribute is not None}


def _not(attribute: Attribute, wanted: str) -> ScimError:
    return invalid("invalidValue", f"{attribute.name}: must be {wanted}")
