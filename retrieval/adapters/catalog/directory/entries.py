"""The directory in the catalog."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, text

from retrieval.adapters.catalog.directory import importing, lookup, memberships
from retrieval.adapters.catalog.directory.changing import Changing
from retrieval.adapters.catalog.directory.rows import row_of
from retrieval.adapters.catalog.engine import Database
from retrieval.domain.audit import OPERATOR
from retrieval.domain.directory import (
    SAME_MEMBERS,
    AlreadyEntered,
    DirectoryLimits,
    Entry,
    EntryKind,
    EntryPage,
    EntryQuery,
    Manager,
    Member,
    MembersChange,
    VersionMoved,
    check_group,
    kind_of,
)
from retrieval.domain.directory_import import DirectoryImport, ImportCounts
from retrieval.domain.errors import NotReadable

_QUEUE = text("LOCK TABLE directory IN SHARE ROW EXCLUSIVE MODE")
"""PostgreSQL's writers wait for each other, as SQLite's do anyway, and before they take a revision: what one reads, it may change."""


class CatalogDirectory:
    """`Directory` over the catalog."""

    def __init__(self, database: Database, limits: DirectoryLimits | None = None) -> None:
        self._database = database
        self._limits = limits or DirectoryLimits()

    def add(self, entry: Entry, *, members: Iterable[str] = (), by: str = OPERATOR.subject) -> Entry:
        with self._changing(by) as change:
            there = row_of(change.connection, entry.subject)
            made = _stamped(entry if there is None else _taken_over(there, entry), there, change.now)
            change.write([made], [there], change="added")
            change.enter({(member, made.subject) for member in members}, made.managed_by)
            return made

    def update(
        self,
        subject: str,
        edit: Callable[[Entry], Entry],
        *,
        members: MembersChange = SAME_MEMBERS,
        expected: int | None = None,
        by: str = OPERATOR.subject,
    ) -> Entry:
        with self._changing(by) as change:
            before = _required(change.connection, subject, expected)
            fixed = {name: getattr(before, name) for name in ("subject", "version", "created_at", "updated_at", "deleted_at")}
            edited = replace(edit(before), **fixed)
            moved = members != SAME_MEMBERS and change.change_members(subject, members, edited.managed_by)
            if edited == before and not moved:
                return before
            after = _stamped(edited, before, change.now)
            change.write([after], [before], change="changed")
            return after

    def delete(self, subject: str, *, managed_by: Manager = Manager.CLI, expected: int | None = None, by: str = OPERATOR.subject) -> None:
        with self._changing(by) as change:
            before = _required(change.connection, subject, expected)
            change.count(change.end_all([subject]))
            if before.kind is EntryKind.GROUP:
                change.remove([before])
            else:
                gone = replace(before.deleted(change.now), managed_by=managed_by)
                change.write([_stamped(gone, before, change.now)], [before], change="deleted")

    def revive(self, subject: str, *, by: str = OPERATOR.subject) -> Entry:
        with self._changing(by) as change:
            before = row_of(change.connection, subject)
            if before is None:
                raise NotReadable(_ABSENT)
            if before.active:
                return before
            after = _stamped(replace(before, active=True, deleted_at=None), before, change.now)
            change.write([after], [before], change="revived")
            return after

    def find(self, subject: str) -> Entry | None:
        with self._database.read() as connection:
            return row_of(connection, subject)

    def search(self, query: EntryQuery) -> EntryPage:
        with self._database.read() as connection:
            return lookup.search(connection, query)

    def subjects_of(self, scim_ids: Sequence[str]) -> Mapping[str, str]:
        with self._database.read() as connection:
            return lookup.subjects_of(connection, scim_ids)

    def set_groups(self, subject: str, groups: Iterable[str], *, managed_by: Manager = Manager.CLI, by: str = OPERATOR.subject) -> None:
        kind_of(subject)
        wanted = {(subject, check_group(group)) for group in groups}
        with self._changing(by) as change:
            held = {(subject, group) for group in memberships.groups_of(change.connection, subject)}
            change.count(change.enter(wanted, managed_by) | change.end(held - wanted))

    def change_groups(
        self,
        subject: str,
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        managed_by: Manager = Manager.CLI,
        by: str = OPERATOR.subject,
    ) -> None:
        kind_of(subject)
        entering, ending = ({(subject, check_group(group)) for group in groups} for groups in (add, remove))
        with self._changing(by) as change:
            change.count(change.enter(entering, managed_by) | change.end(ending - entering))

    def change_members(self, group: str, members: MembersChange, *, managed_by: Manager = Manager.CLI, by: str = OPERATOR.subject) -> None:
        with self._changing(by) as change:
            change.count(change.change_members(group, members, managed_by))

    def groups(self, subject: str) -> frozenset[str]:
        with self._database.read() as connection:
            return memberships.groups_of(connection, subject)

    def effective_groups(self, subject: str) -> frozenset[str]:
        with self._database.read() as connection:
            return memberships.effective_groups(connection, subject)

    def members(self, groups: Sequence[str]) -> Mapping[str, tuple[Member, ...]]:
        with self._database.read() as connection:
            return lookup.members(connection, groups)

    def is_active(self, subject: str) -> bool:
        with self._database.read() as connection:
            return lookup.is_active(connection, subject)

    def take(
        self, wanted: DirectoryImport, *, delete_missing: bool = False, dry_run: bool = False, by: str = OPERATOR.subject
    ) -> ImportCounts:
        with self._changing(by) as change:
            trial = change.connection.begin_nested()
            counts = importing.take(change, wanted, delete_missing=delete_missing)
            if dry_run:
                trial.rollback()
                change.forget()
            else:
                trial.commit()
            return counts

    @contextmanager
    def _changing(self, by: str) -> Iterator[Changing]:
        with self._database.write() as connection:
            if not self._database.is_sqlite:
                connection.execute(_QUEUE)
            change = Changing(connection, self._limits, by, self._database.now())
            yield change
            change.finish()


_ABSENT = "there is no such entry in the directory"


def _required(connection: Connection, subject: str, expected: int | None) -> Entry:
    found = row_of(connection, subject)
    if found is None or found.deleted_at is not None:
        raise NotReadable(_ABSENT)
    if expected is not None and found.version != expected:
        raise VersionMoved("the entry has changed since it was read")
    return found


def _taken_over(there: Entry, entry: Entry) -> Entry:
    """What the command line said in advance of somebody whom another manager now enters: it may limit, and stays in force."""
    if there.deleted_at is not None:
        raise AlreadyEntered("the subject named somebody who was deleted; an administrator can activate the entry again")
    if there.managed_by is not Manager.CLI or entry.managed_by is Manager.CLI:
        raise AlreadyEntered("the subject is in the directory already")
    return replace(
        entry,
        active=there.active and entry.active,
        clearance=entry.clearance or there.clearance,
        regions=there.regions if entry.regions is None else entry.regions,
    )


def _stamped(entry: Entry, before: Entry | None, now: str) -> Entry:
    created_at, version = (now, 1) if before is None else (before.created_at, before.version + 1)
    return replace(entry, version=version, created_at=created_at, updated_at=now)
