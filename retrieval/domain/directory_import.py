"""What files of people and groups say the directory should hold, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from retrieval.domain.sources import Classification


@dataclass(frozen=True)
class Clearance:
    """A clearance that a row states; None: the service's default."""

    level: Classification | None


@dataclass(frozen=True)
class Regions:
    """The regions that a row states; None: all."""

    names: frozenset[str] | None


@dataclass(frozen=True)
class ImportedEntry:
    """One row. A column that the file does not have is None here and leaves what the directory holds.

    Attributes:
        place: where the row is, for messages: `people.csv, line 3`.
    """

    subject: str
    name: str
    place: str
    clearance: Clearance | None = None
    regions: Regions | None = None


@dataclass(frozen=True)
class DirectoryImport:
    """The rows of one import.

    Attributes:
        entries: by subject.
        memberships: (member, group) pairs that the files state.
        members_stated: subjects whose groups the files state in full.
        groups_stated: groups whose members the files state in full.
        kinds_stated: `user`, `group`: whose absence from the files means something.
    """

    entries: Mapping[str, ImportedEntry]
    memberships: frozenset[tuple[str, str]] = frozenset()
    members_stated: frozenset[str] = frozenset()
    groups_stated: frozenset[str] = frozenset()
    kinds_stated: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class ImportCounts:
    """How many entries and memberships an import changed, or would change."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    missing: int = 0
    """Entries of earlier files that these do not name, and that were left as they are."""
    memberships_added: int = 0
    memberships_removed: int = 0

    @property
    def changes_nothing(self) -> bool:
        return not (self.added or self.changed or self.deleted or self.memberships_added or self.memberships_removed)
