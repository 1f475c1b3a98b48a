"""The SCIM schemas that are served (RFC 7643). What a request may say, how it compares and what is published, from one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

PREFIX = "/scim/v2"
USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ARCHIVIST_URN = "urn:archivist:params:scim:schemas:extension:1.0:User"


class Type(StrEnum):
    """The types of RFC 7643, section 2.3, that occur here."""

    STRING = "string"
    BOOLEAN = "boolean"
    COMPLEX = "complex"
    REFERENCE = "reference"


@dataclass(frozen=True)
class Attribute:
    """One attribute. Names compare without regard to case."""

    name: str
    type: Type = Type.STRING
    is_many: bool = False
    is_required: bool = False
    is_case_exact: bool = False
    mutability: str = "readWrite"
    uniqueness: str = "none"
    description: str = ""
    parts: tuple["Attribute", ...] = ()

    def part(self, name: str) -> "Attribute | None":
        return next((part for part in self.parts if part.name.lower() == name.lower()), None)

    def as_json(self) -> dict[str, object]:
        shown: dict[str, object] = {
            "name": self.name,
            "type": self.type.value,
            "multiValued": self.is_many,
            "description": self.description or self.name,
            "required": self.is_required,
            "mutability": self.mutability,
            "returned": "default",
        }
        if self.type is Type.COMPLEX:
            return shown | {"subAttributes": [part.as_json() for part in self.parts]}
        return shown | {"caseExact": self.is_case_exact, "uniqueness": self.uniqueness}


@dataclass(frozen=True)
class Schema:
    """A resource's own attributes, or an extension's."""

    urn: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]

    def attribute(self, name: str) -> Attribute | None:
        return self._by_name.get(name.lower())

    @cached_property
    def _by_name(self) -> Mapping[str, Attribute]:
        return {attribute.name.lower(): attribute for attribute in self.attributes}

    def as_json(self) -> dict[str, object]:
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": self.urn,
            "name": self.name,
            "description": self.description,
            "attributes": [attribute.as_json() for attribute in self.attributes],
            "meta": {"resourceType": "Schema", "location": f"{PREFIX}/Schemas/{self.urn}"},
        }


@dataclass(frozen=True)
class ResourceType:
    """A kind of resource: its schema and the extensions it may carry."""

    name: str
    endpoint: str
    core: Schema
    extensions: Sequence[Schema] = field(default_factory=tuple)

    def schema(self, urn: str) -> Schema | None:
        return next((schema for schema in (self.core, *self.extensions) if schema.urn.lower() == urn.lower()), None)

    def as_json(self) -> dict[str, object]:
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": self.name,
            "name": self.name,
            "endpoint": self.endpoint,
            "schema": self.core.urn,
            "schemaExtensions": [{"schema": extension.urn, "required": False} for extension in self.extensions],
            "meta": {"resourceType": "ResourceType", "location": f"{PREFIX}/ResourceTypes/{self.name}"},
        }


def _strings(*names: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(name) for name in names)


def _values(name: str, *more: Attribute) -> Attribute:
    """A list such as e-mail addresses: value, display, type, primary."""
    parts = (*_strings("value", "display", "type"), Attribute("primary", Type.BOOLEAN), *more)
    return Attribute(name, Type.COMPLEX, is_many=True, parts=parts)


EXTERNAL_ID = Attribute(
    "externalId",
    is_case_exact=True,
    mutability="immutable",
    description="The provider's own, unchanging id. Access tokens and permissions name it; it never changes afterwards.",
)
MEMBERS = Attribute(
    "members",
    Type.COMPLEX,
    is_many=True,
    description="People and groups.",
    parts=(
        Attribute("value", is_case_exact=True, mutability="immutable", description="The member's id here."),
        Attribute("$ref", Type.REFERENCE, is_case_exact=True, mutability="immutable"),
        Attribute("display", mutability="readOnly"),
        Attribute("type", mutability="immutable", description="User or Group."),
    ),
)

_NAME = _strings("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
_ADDRESS = tuple(Attribute(name) for name in ("formatted", "streetAddress", "locality", "region", "postalCode", "country"))
_MANAGER = (Attribute("value", is_case_exact=True), Attribute("$ref", Type.REFERENCE, is_case_exact=True), Attribute("displayName"))

USER = Schema(
    USER_URN,
    "User",
    "A person",
    (
        Attribute("userName", is_required=True, uniqueness="server", description="Unique in whatever case."),
        EXTERNAL_ID,
        Attribute("name", Type.COMPLEX, parts=_NAME),
        *_strings("displayName", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone"),
        Attribute("active", Type.BOOLEAN, description="A person who is not active is refused and reads nothing from the next request on."),
        *(_values(name) for name in ("emails", "phoneNumbers", "ims", "photos", "entitlements", "roles")),
        _values("addresses", *_ADDRESS),
    ),
)
ENTERPRISE = Schema(
    ENTERPRISE_URN,
    "EnterpriseUser",
    "A person in an organisation",
    (
        *_strings("employeeNumber", "costCenter", "organization", "division", "department"),
        Attribute("manager", Type.COMPLEX, parts=_MANAGER),
    ),
)
ARCHIVIST = Schema(
    ARCHIVIST_URN,
    "ArchivistUser",
    "What a person may read at most, besides the grants. A request without it leaves both as they are.",
    (
        Attribute("clearance", description="public, internal, confidential or restricted; none: the service's default."),
        Attribute("regions", is_many=True, description="Only documents of these regions, and those without one; absent: of all."),
    ),
)
GROUP = Schema(GROUP_URN, "Group", "A group", (Attribute("displayName", is_required=True), EXTERNAL_ID, MEMBERS))

USERS = ResourceType("User", "/Users", USER, (ENTERPRISE, ARCHIVIST))
GROUPS = ResourceType("Group", "/Groups", GROUP)
SCHEMAS = (USER, ENTERPRISE, ARCHIVIST, GROUP)
RESOURCE_TYPES = (USERS, GROUPS)
