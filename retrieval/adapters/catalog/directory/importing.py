"""An import of files within one transaction: what they say, against what the directory holds."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, select

from retrieval.adapters.catalog.directory import memberships
from retrieval.adapters.catalog.directory.changing import Changing
from retrieval.adapters.catalog.directory.rows import batches, entry_of, rows_of
from retrieval.adapters.catalog.tables import directory
from retrieval.adapters.catalog.tables import memberships as membership_rows
from retrieval.domain.directory import AlreadyEntered, Entry, EntryKind, Manager
from retrieval.domain.directory_import import DirectoryImport, ImportCounts, ImportedEntry


def take(change: Changing, wanted: DirectoryImport, *, delete_missing: bool) -> ImportCounts:
    """Bring what files manage to what these say. What SCIM manages is not touched: a file that names it is refused as a whole."""
    there = rows_of(change.connection, wanted.entries)
    added = [_new(row, change.now) for subject, row in wanted.entries.items() if subject not in there]
    changed = [(before, after) for before, after in _compared(wanted.entries, there, change.now) if after != before]
    missing = _missing(change.connection, wanted)
    deleted = missing if delete_missing else []
    change.write(added, [None] * len(added), change="added")
    change.write([after for _, after in changed], [before for before, _ in changed], change="changed")
    ended = _delete(change, deleted)
    new = _enter(change, wanted)
    ended |= change.end(_unstated(change.connection, wanted))
    change.count(new | ended)
    return ImportCounts(
        added=len(added),
        changed=len(changed),
        unchanged=len(wanted.entries) - len(added) - len(changed),
        deleted=len(deleted),
        missing=len(missing) - len(deleted),
        memberships_added=len(new),
        memberships_removed=len(ended),
    )


def _new(row: ImportedEntry, now: str) -> Entry:
    return _stated(Entry(row.subject, row.name, managed_by=Manager.CSV, created_at=now, updated_at=now), row)


def _compared(wanted: Mapping[str, ImportedEntry], there: Mapping[str, Entry], now: str) -> list[tuple[Entry, Entry]]:
    """Each entry as it was and as its row says it is."""
    compared = []
    for subject, before in there.items():
        row = wanted[subject]
        if before.managed_by is Manager.SCIM:
            raise AlreadyEntered(f"{row.place}: SCIM manages this entry, so a file cannot")
        if before.deleted_at is not None and before.managed_by is not Manager.CSV:
            raise AlreadyEntered(f"{row.place}: was deleted by hand; 'archivist directory activate' brings the entry back")
        kept = before if before.deleted_at is None else replace(before, active=True, deleted_at=None)
        after = _stated(replace(kept, name=row.name, managed_by=Manager.CSV), row)
        compared.append((before, before if after == before else replace(after, version=before.version + 1, updated_at=now)))
    return compared


def _stated(entry: Entry, row: ImportedEntry) -> Entry:
    return replace(
        entry,
        clearance=entry.clearance if row.clearance is None else row.clearance.level,
        regions=entry.regions if row.regions is None else row.regions.names,
    )


def _missing(connection: Connection, wanted: DirectoryImport) -> list[Entry]:
    """What earlier files entered and these, though they are of that kind, do not name."""
    rows = connection.execute(
        select(directory).where(
            directory.c.managed_by == Manager.CSV.value,
            directory.c.deleted_at.is_(None),
            directory.c.kind.in_(sorted(wanted.kinds_stated)),
        )
    )
    return [entry_of(row) for row in rows if row.subject not in wanted.entries]


def _delete(change: Changing, entries: list[Entry]) -> set[memberships.Pair]:
    change.remove([each for each in entries if each.kind is EntryKind.GROUP])
    people = [each for each in entries if each.kind is not EntryKind.GROUP]
    gone = [replace(each.deleted(change.now), version=each.version + 1, updated_at=change.now) for each in people]
    change.write(gone, people, change="deleted")
    return change.end_all([each.subject for each in entries])


def _enter(change: Changing, wanted: DirectoryImport) -> set[memberships.Pair]:
    held = memberships.managers(change.connection, wanted.memberships)
    for batch in batches(sorted({group for _, group in wanted.memberships - held.keys()})):
        scim = select(directory.c.subject).where(directory.c.subject.in_(batch), directory.c.managed_by == Manager.SCIM.value)
        found = change.connection.scalar(scim.limit(1))
        if found is not None:
            raise AlreadyEntered(f"{found}: SCIM manages this group, so a file cannot give it members")
    return change.enter(set(wanted.memberships), Manager.CSV)


def _unstated(connection: Connection, wanted: DirectoryImport) -> set[memberships.Pair]:
    """Memberships of earlier files that these leave out, of members or groups that they state in full."""
    rows = connection.execute(
        select(membership_rows.c.member, membership_rows.c.group).where(membership_rows.c.managed_by == Manager.CSV.value)
    )
    held = {(member, group) for member, group in rows if member in wanted.members_stated or group in wanted.groups_stated}
    return held - wanted.memberships
