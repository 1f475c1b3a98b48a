"""Entries as rows of the table `directory`, one by one and many at once."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from retrieval.adapters.catalog.tables import directory
from retrieval.domain.directory import Entry, Manager, folded
from retrieval.domain.sources import Classification

Item = TypeVar("Item")

BATCH = 1000
"""Subjects in one statement: well below the parameters that either database takes."""
_CLASSIFICATIONS = tuple(Classification)


def row_of(connection: Connection, subject: str) -> Entry | None:
    row = connection.execute(select(directory).where(directory.c.subject == subject)).one_or_none()
    return None if row is None else entry_of(row)


def rows_of(connection: Connection, subjects: Iterable[str]) -> dict[str, Entry]:
    return {
        row.subject: entry_of(row)
        for batch in batches(subjects)
        for row in connection.execute(select(directory).where(directory.c.subject.in_(batch)))
    }


def write_new(connection: Connection, entries: Sequence[Entry]) -> None:
    if entries:
        connection.execute(insert(directory), [_values(entry) for entry in entries])


def write_changed(connection: Connection, entries: Sequence[Entry]) -> None:
    if entries:
        names = [column.name for column in directory.c if column.name != "subject"]
        statement = update(directory).where(directory.c.subject == bindparam("this")).values({name: bindparam(name) for name in names})
        rows = [_values(entry) for entry in entries]
        connection.execute(statement, [{"this": row.pop("subject"), **row} for row in rows])


def write_gone(connection: Connection, subjects: Iterable[str]) -> None:
    for batch in batches(subjects):
        connection.execute(delete(directory).where(directory.c.subject.in_(batch)))


def entry_of(row: Row[Any]) -> Entry:
    return Entry(
        subject=row.subject,
        name=row.name,
        active=row.active,
        clearance=None if row.clearance is None else _CLASSIFICATIONS[row.clearance],
        regions=None if row.regions is None else frozenset(json.loads(row.regions)),
        managed_by=Manager(row.managed_by),
        scim_id=row.scim_id,
        external_id=row.external_id,
        attributes=json.loads(row.attributes),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
    )


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _values(entry: Entry) -> dict[str, Any]:
    return {
        "subject": entry.subject,
        "kind": entry.kind.value,
        "active": entry.active,
        "clearance": None if entry.clearance is None else entry.clearance.sensitivity,
        "regions": None if entry.regions is None else json.dumps(sorted(entry.regions)),
        "managed_by": entry.managed_by.value,
        "scim_id": entry.scim_id,
        "external_id": entry.external_id,
        "name": entry.name,
        "folded_name": folded(entry.name),
        "attributes": json.dumps(dict(entry.attributes), sort_keys=True),
        "version": entry.version,
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
        "deleted_at": entry.deleted_at,
    }
