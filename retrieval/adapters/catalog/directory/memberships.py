"""Who is a direct member of which group, within a caller's transaction. Every function works on many pairs at once."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from retrieval.adapters.catalog.directory.rows import batches
from retrieval.adapters.catalog.tables import directory, memberships
from retrieval.domain.directory import DirectoryLimits, Manager, MembersChange
from retrieval.domain.errors import InvalidInput

Pair = tuple[str, str]
"""A member and its group."""

_PRECEDENCE = (Manager.CLI, Manager.CSV, Manager.SCIM)
"""Who enters what another has entered takes it over only from those before: what a provider gave, only the provider takes away."""
_PAIR = (memberships.c.member == bindparam("a_member"), memberships.c.group == bindparam("a_group"))


def groups_of(connection: Connection, member: str) -> frozenset[str]:
    return frozenset(connection.scalars(select(memberships.c.group).where(memberships.c.member == member)))


def members_of(connection: Connection, group: str) -> frozenset[str]:
    return frozenset(connection.scalars(select(memberships.c.member).where(memberships.c.group == group)))


def managers(connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, Manager]:
    """Who entered each of the pairs; without those that are not there."""
    wanted = set(pairs)
    groups = {group for _, group in wanted}
    found: dict[Pair, Manager] = {}
    for batch in batches(sorted({member for member, _ in wanted})):
        statement = select(memberships.c.member, memberships.c.group, memberships.c.managed_by).where(memberships.c.member.in_(batch))
        if len(groups) == 1:  # a change of one group reads nothing of the thousands that its members may be in
            statement = statement.where(memberships.c.group.in_(groups))
        rows = connection.execute(statement)
        found |= {(member, group): Manager(by) for member, group, by in rows if (member, group) in wanted}
    return found


def of_change(connection: Connection, group: str, change: MembersChange) -> tuple[set[Pair], set[Pair]]:
    """The pairs that a change of a group's members enters and ends."""
    entering = {(member, group) for member in change.add}
    ending = members_of(connection, group) - change.add if change.clears else change.remove
    return entering, {(member, group) for member in ending}


def enter(connection: Connection, pairs: set[Pair], *, by: Manager, limits: DirectoryLimits) -> set[Pair]:
    """Enter those that are not there, and take over those that are. Returns the ones that are new.

    Raises:
        InvalidInput: a member was deleted, or a limit is broken.
    """
    held = managers(connection, pairs)
    new = pairs - held.keys()
    taken_over = [pair for pair, manager in held.items() if _PRECEDENCE.index(manager) < _PRECEDENCE.index(by)]
    if taken_over:
        connection.execute(update(memberships).where(*_PAIR).values(managed_by=by.value), _parameters(taken_over))
    if new:
        _check_members(connection, new)
        connection.execute(insert(memberships), [{"member": m, "group": g, "managed_by": by.value} for m, g in sorted(new)])
        _check_counts(connection, new, limits)
    return new


def end(connection: Connection, pairs: set[Pair]) -> set[Pair]:
    """Returns those that were there."""
    ended = set(managers(connection, pairs))
    if ended:
        connection.execute(delete(memberships).where(*_PAIR), _parameters(ended))
    return ended


def end_all(connection: Connection, subjects: Iterable[str]) -> set[Pair]:
    """End every membership of the subjects and, of groups, in them. Returns them."""
    ended: set[Pair] = set()
    for batch in batches(subjects):
        named = memberships.c.member.in_(batch) | memberships.c.group.in_(batch)
        ended |= {(member, group) for member, group in connection.execute(select(memberships.c.member, memberships.c.group).where(named))}
        connection.execute(delete(memberships).where(named))
    return ended


def count_change(connection: Connection, pairs: Iterable[Pair], now: str) -> None:
    """A changed membership is a change of the group's entry, where it has one."""
    for batch in batches(sorted({group for _, group in pairs})):
        changed = update(directory).where(directory.c.subject.in_(batch))
        connection.execute(changed.values(version=directory.c.version + 1, updated_at=now))


def effective_groups(connection: Connection, subject: str) -> frozenset[str]:
    """Each group is visited once, so a cycle ends by itself."""
    reached = select(memberships.c.group).where(memberships.c.member == subject).cte("reached", recursive=True)
    onward = select(memberships.c.group).join(reached, memberships.c.member == reached.c.group)
    return frozenset(connection.scalars(select(reached.union(onward).c.group)))


def _check_members(connection: Connection, pairs: set[Pair]) -> None:
    for batch in batches(sorted({member for member, _ in pairs})):
        deleted = select(directory.c.subject).where(directory.c.subject.in_(batch), directory.c.deleted_at.is_not(None))
        if connection.scalar(deleted.limit(1)) is not None:
            raise InvalidInput.of("members", "somebody who was deleted can be in no group")


def _check_counts(connection: Connection, new: set[Pair], limits: DirectoryLimits) -> None:
    counted = func.count().label("counted")
    for column, place, most, what in (
        (memberships.c.member, 0, limits.groups, "groups"),
        (memberships.c.group, 1, limits.members, "members"),
    ):
        for batch in batches(sorted({pair[place] for pair in new})):
            over = select(column).where(column.in_(batch)).group_by(column).having(counted > most)
            if connection.scalar(over.limit(1)) is not None:
                raise InvalidInput.of(what, f"too many {what}", limit=f"{most} {what}")


def _parameters(pairs: Iterable[Pair]) -> Sequence[dict[str, str]]:
    return [{"a_member": member, "a_group": group} for member, group in pairs]
