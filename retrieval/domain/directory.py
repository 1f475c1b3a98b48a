"""The directory: people, groups and applications, what they are cleared for, and who belongs to which group.

A subject is immutable: once it has named a person it never names another. That is why a person who is deleted stays, as an entry that
is inactive for good, and why what the subject derives from (issuer, kind, id) is no part of a change.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from retrieval.domain.errors import Conflict, InvalidInput
from retrieval.domain.permissions import ISSUER_SEPARATOR, LOCAL_ISSUER, check_subject, subject_of
from retrieval.domain.sources import REGION, Classification

MAX_REGIONS = 100


class EntryKind(StrEnum):
    """What an entry is."""

    USER = "user"
    GROUP = "group"
    APP = "app"


class Manager(StrEnum):
    """Who entered something, and so who keeps it up to date."""

    CLI = "cli"
    SCIM = "scim"
    CSV = "csv"


class AlreadyEntered(Conflict):
    """The subject, or the name that must be unique, belongs to another entry."""


class VersionMoved(Conflict):
    """The entry is no longer of the version that the caller has seen."""


@dataclass(frozen=True)
class DirectoryLimits:
    """How much the directory takes. Memberships are counted as they are entered, not through other groups."""

    groups: int = 20_000
    members: int = 100_000
    name_characters: int = 256
    attributes_bytes: int = 16 * 1024


@dataclass(frozen=True)
class Entry:
    """One person, group or application.

    Attributes:
        name: for people to recognise it. Of a person whom SCIM manages it is the `userName`.
        active: an inactive person or application is not authenticated and reads nothing.
        clearance: the most sensitive classification it may read; None: the service's default.
        regions: the only regions whose documents it may read; None: all of them.
        scim_id: the id of its SCIM resource; None: SCIM does not know it.
        external_id: what the SCIM client calls it; "" when it did not say.
        attributes: what else the SCIM client told, kept for it and used for nothing.
        version: counts its changes, those of a group's members included.
        deleted_at: since when it is gone; only a person or an application leaves an entry behind.
    """

    subject: str
    name: str
    active: bool = True
    clearance: Classification | None = None
    regions: frozenset[str] | None = None
    managed_by: Manager = Manager.CLI
    scim_id: str | None = None
    external_id: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict, hash=False)
    version: int = 1
    created_at: str = ""
    updated_at: str = ""
    deleted_at: str | None = None

    def __post_init__(self) -> None:
        kind_of(self.subject)
        check_visible(self.subject, "subject")
        if not self.name.strip():
            raise InvalidInput.of("name", "is required")
        check_visible(self.name, "name")
        if self.kind is EntryKind.GROUP and not (self.active and self.clearance is None and self.regions is None):
            raise InvalidInput.of("subject", "a group has members; only people and applications are cleared, limited or deactivated")
        check_regions(self.regions or ())
        object.__setattr__(self, "attributes", MappingProxyType(dict(self.attributes)))

    @property
    def kind(self) -> EntryKind:
        return kind_of(self.subject)

    @property
    def reading(self) -> "Reading":
        """All of the entry that decides what may be read."""
        return Reading(self.active, self.clearance, self.regions)

    def deleted(self, at: str) -> "Entry":
        """What stays of it: a subject that nobody else can be given."""
        return replace(self, active=False, deleted_at=at, attributes={})


@dataclass(frozen=True)
class Reading:
    """What an entry says of somebody's reading. The default is what holds for a subject without an entry."""

    active: bool = True
    clearance: Classification | None = None
    regions: frozenset[str] | None = None


UNRESTRICTED = Reading()


@dataclass(frozen=True)
class MembersChange:
    """A change of one group's members: all go if `clears`, then `add` come and `remove` go."""

    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    clears: bool = False

    @classmethod
    def to(cls, members: Iterable[str]) -> "MembersChange":
        """Exactly these."""
        return cls(add=frozenset(members), clears=True)

    def then_add(self, members: Iterable[str]) -> "MembersChange":
        more = frozenset(members)
        return replace(self, add=self.add | more, remove=self.remove - more)

    def then_remove(self, members: Iterable[str]) -> "MembersChange":
        fewer = frozenset(members)
        return replace(self, add=self.add - fewer, remove=self.remove | fewer)


SAME_MEMBERS = MembersChange()


@dataclass(frozen=True)
class Member:
    """A direct member of a group as a list shows it. `name` is empty for a subject without an entry."""

    subject: str
    name: str
    scim_id: str | None


@dataclass(frozen=True)
class EntryQuery:
    """Which entries are wanted. Empty and None: whatever it is. Names compare without regard to case, all else byte by byte."""

    kinds: frozenset[EntryKind] = frozenset(EntryKind)
    name: str = ""
    external_id: str = ""
    scim_id: str = ""
    member_scim_id: str = ""
    known_to_scim: bool = False
    with_deleted: bool = False
    skip: int = 0
    limit: int = 100


@dataclass(frozen=True)
class EntryPage:
    """Entries in the order of their subjects. `total` counts all that match the query."""

    entries: tuple[Entry, ...]
    total: int


def identify(kind: EntryKind, id_: str, *, issuer: str = LOCAL_ISSUER, name: str = "id") -> str:
    """The subject of an id that an issuer gave. Raises InvalidInput naming `name`."""
    if issuer == LOCAL_ISSUER and ISSUER_SEPARATOR in id_:
        raise InvalidInput.of(name, f"holds a '{ISSUER_SEPARATOR}', which stands between an issuer and its ids")
    return check_visible(check_subject(subject_of(kind.value, id_, issuer=issuer), field=name), name)


def kind_of(subject: str) -> EntryKind:
    """Raises InvalidInput for a subject that can have no entry, such as `everyone`."""
    kind = check_subject(subject).partition(":")[0]
    try:
        return EntryKind(kind)
    except ValueError as error:
        raise InvalidInput.of("subject", "name a person, a group or an application") from error


def check_group(subject: str, *, field: str = "group") -> str:
    if kind_of(check_subject(subject, field=field)) is not EntryKind.GROUP:
        raise InvalidInput.of(field, "a group is written 'group:<id>'")
    return subject


def check_regions(regions: Iterable[str], *, field: str = "regions") -> frozenset[str]:
    found = frozenset(regions)
    if len(found) > MAX_REGIONS:
        raise InvalidInput.of(field, "too many regions", limit=f"{MAX_REGIONS} regions")
    if not all(REGION.fullmatch(region) for region in found):
        raise InvalidInput.of(field, "lower-case letters, digits and hyphens, e.g. 'eu'", limit="1 to 32 characters")
    return found


def check_visible(text: str, name: str) -> str:
    """No control characters and no half of a surrogate pair: they cannot be stored everywhere and mislead whoever reads them."""
    if not is_visible(text):
        raise InvalidInput.of(name, "holds a character that cannot be shown")
    return text


def is_visible(text: str) -> bool:
    return text.isprintable() or not any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)


def folded(name: str) -> str:
    """Equal for names that differ in case only."""
    return unicodedata.normalize("NFC", name.casefold())
