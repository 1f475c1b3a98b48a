"""One transaction that changes the directory: what it writes, the revision it takes, and its records in the audit log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.directory import lookup, memberships
from retrieval.adapters.catalog.directory.memberships import Pair
from retrieval.adapters.catalog.directory.rows import batches, write_changed, write_gone, write_new
from retrieval.adapters.catalog.engine import next_revision
from retrieval.domain.audit import AuditAction, AuditEntry, Detail
from retrieval.domain.directory import UNRESTRICTED, DirectoryLimits, Entry, EntryKind, Manager, MembersChange, check_group, kind_of


@dataclass
class Changing:
    """Writes as it is told, and at the end takes one revision if anybody reads differently and records what was done.

    Attributes:
        by: subject of whoever does it.
        now: as the database writes it.
    """

    connection: Connection
    limits: DirectoryLimits
    by: str
    now: str
    _read_differently: bool = False
    _records: list[AuditEntry] = field(default_factory=list)

    def write(self, after: Sequence[Entry], before: Sequence[Entry | None], *, change: str) -> None:
        """Entries as they are from now on, and as they were; None: they are new."""
        for entry, was in zip(after, before, strict=True):
            lookup.check_limits(entry, self.limits)
            if _has_new_user_name(entry, was):
                lookup.check_user_name(self.connection, entry)
            self._read_differently |= entry.reading != (UNRESTRICTED if was is None else was.reading)
            self._record(change, entry)
        write_new(self.connection, [entry for entry, was in zip(after, before, strict=True) if was is None])
        write_changed(self.connection, [entry for entry, was in zip(after, before, strict=True) if was is not None])

    def remove(self, entries: Sequence[Entry]) -> None:
        """Groups, without a trace in the table."""
        write_gone(self.connection, [entry.subject for entry in entries])
        for entry in entries:
            self._record("deleted", entry)

    def enter(self, pairs: set[Pair], by: Manager) -> set[Pair]:
        """Returns the pairs that are new."""
        for member, _ in pairs:
            kind_of(member)
        return self._moved("added", memberships.enter(self.connection, pairs, by=by, limits=self.limits))

    def end(self, pairs: set[Pair]) -> set[Pair]:
        """Returns the pairs that were there."""
        return self._moved("removed", memberships.end(self.connection, pairs))

    def end_all(self, subjects: Iterable[str]) -> set[Pair]:
        """The same for every membership of the subjects and in them."""
        return self._moved("removed", memberships.end_all(self.connection, subjects))

    def change_members(self, group: str, change: MembersChange, by: Manager) -> set[Pair]:
        """Returns the pairs that came or went."""
        entering, ending = memberships.of_change(self.connection, check_group(group), change)
        return self.enter(entering, by) | self.end(ending - entering)

    def count(self, pairs: set[Pair]) -> None:
        """A changed membership is a change of the group's entry."""
        memberships.count_change(self.connection, pairs, self.now)

    def finish(self) -> None:
        """The records come last: the end of the audit log is locked until the commit."""
        if self._read_differently:
            next_revision(self.connection)
        append(self.connection, *self._records, at=self.now)

    def forget(self) -> None:
        """Nothing of this was meant."""
        self._read_differently = False
        self._records.clear()

    def _moved(self, way: str, pairs: set[Pair]) -> set[Pair]:
        self._read_differently |= bool(pairs)
        for batch in batches(sorted(pairs)):
            lines = [f"{member} in {group}" for member, group in batch]
            self._records.append(AuditEntry(AuditAction.MEMBERSHIPS_CHANGED, self.by, details={way: lines}))
        return pairs

    def _record(self, change: str, entry: Entry) -> None:
        details: dict[str, Detail] = {"change": change, "subject": entry.subject, "managed_by": entry.managed_by.value}
        if entry.kind is not EntryKind.GROUP:
            details |= {
                "active": entry.active,
                "clearance": None if entry.clearance is None else entry.clearance.value,
                "regions": None if entry.regions is None else sorted(entry.regions),
            }
        self._records.append(AuditEntry(AuditAction.DIRECTORY_CHANGED, self.by, details=details))


def _has_new_user_name(entry: Entry, was: Entry | None) -> bool:
    if entry.scim_id is None or entry.kind is not EntryKind.USER or entry.deleted_at is not None:
        return False
    return was is None or (was.name, was.scim_id, was.deleted_at) != (entry.name, entry.scim_id, None)
