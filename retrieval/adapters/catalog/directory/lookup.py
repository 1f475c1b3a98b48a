"""Reading the directory: searches, the members of groups, and the checks before a write."""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, func, select

from retrieval.adapters.catalog.directory.rows import batches, entry_of
from retrieval.adapters.catalog.tables import directory, memberships
from retrieval.domain.directory import AlreadyEntered, DirectoryLimits, Entry, EntryKind, EntryPage, EntryQuery, Member, folded
from retrieval.domain.errors import InvalidInput


def search(connection: Connection, query: EntryQuery) -> EntryPage:
    conditions = _conditions(query)
    total = connection.scalar(select(func.count()).select_from(directory).where(*conditions)) or 0
    page = select(directory).where(*conditions).order_by(directory.c.subject).offset(query.skip).limit(query.limit)
    return EntryPage(tuple(entry_of(row) for row in connection.execute(page)) if query.limit else (), int(total))


def subjects_of(connection: Connection, scim_ids: Sequence[str]) -> Mapping[str, str]:
    return {
        row.scim_id: row.subject
        for batch in batches(scim_ids)
        for row in connection.execute(
            select(directory.c.scim_id, directory.c.subject).where(directory.c.scim_id.in_(batch), directory.c.deleted_at.is_(None))
        )
    }


def members(connection: Connection, groups: Sequence[str]) -> Mapping[str, tuple[Member, ...]]:
    found: dict[str, list[Member]] = {group: [] for group in groups}
    for batch in batches(groups):
        rows = connection.execute(
            select(memberships.c.group, memberships.c.member, directory.c.name, directory.c.scim_id)
            .outerjoin(directory, directory.c.subject == memberships.c.member)
            .where(memberships.c.group.in_(batch))
            .order_by(memberships.c.member)
        )
        for group, member, name, scim_id in rows:
            found[group].append(Member(member, name or "", scim_id))
    return {group: tuple(of_group) for group, of_group in found.items()}


def is_active(connection: Connection, subject: str) -> bool:
    return connection.scalar(select(directory.c.active).where(directory.c.subject == subject)) is not False


def check_limits(entry: Entry, limits: DirectoryLimits) -> None:
    """Raises InvalidInput."""
    if max(len(entry.name), len(entry.external_id)) > limits.name_characters:
        raise InvalidInput.of("name", "is too long", limit=f"{limits.name_characters} characters")
    if len(json.dumps(dict(entry.attributes))) > limits.attributes_bytes:
        raise InvalidInput.of("attributes", "are too large", limit=f"{limits.attributes_bytes} bytes")


def check_user_name(connection: Connection, entry: Entry) -> None:
    """Raises AlreadyEntered when another person whom SCIM knows has the name, in whatever case."""
    known = select(directory.c.subject).where(*_conditions(EntryQuery(frozenset({EntryKind.USER}), name=entry.name, known_to_scim=True)))
    if connection.scalar(known.where(directory.c.subject != entry.subject).limit(1)) is not None:
        raise AlreadyEntered("the user name belongs to somebody else")


def _conditions(query: EntryQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [directory.c.kind.in_(sorted(query.kinds))]
    if query.name:
        conditions.append(directory.c.folded_name == folded(query.name))
    if query.external_id:
        conditions.append(directory.c.external_id == query.external_id)
    if query.scim_id:
        conditions.append(directory.c.scim_id == query.scim_id)
    if query.member_scim_id:
        member = select(directory.c.subject).where(directory.c.scim_id == query.member_scim_id)
        conditions.append(directory.c.subject.in_(select(memberships.c.group).where(memberships.c.member.in_(member))))
    if query.known_to_scim:
        conditions.append(directory.c.scim_id.is_not(None))
    if not query.with_deleted:
        conditions.append(directory.c.deleted_at.is_(None))
    return conditions
