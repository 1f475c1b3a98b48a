"""Access classes: one id for each distinct policy, the classes a principal may read, and how many passages they hold."""

from collections.abc import Iterable, Sequence

from sqlalchemy import CompoundSelect, Connection, bindparam, func, insert, literal, select, union, update

from retrieval.adapters.catalog.tables import access_classes, grants, memberships
from retrieval.domain.permissions import EVERYONE, AccessPolicy, Principal

MAX_GROUP_DEPTH = 32
"""Nesting of groups beyond this is not followed; a cycle ends by itself because every group is visited once."""


def class_of(connection: Connection, policy: AccessPolicy) -> int:
    """The id of the policy's access class, made if it is new."""
    found = connection.scalar(select(access_classes.c.id).where(access_classes.c.fingerprint == policy.fingerprint))
    if found is not None:
        return int(found)
    made = int(
        connection.execute(insert(access_classes).values(fingerprint=policy.fingerprint).returning(access_classes.c.id)).scalar_one()
    )
    rows = [{"access_class": made, "effect": "allow", "subject": s} for s in sorted(policy.allow)]
    rows += [{"access_class": made, "effect": "deny", "subject": s} for s in sorted(policy.deny)]
    if rows:
        connection.execute(insert(grants), rows)
    return made


def subjects_of(connection: Connection, principal: Principal) -> frozenset[str]:
    """What the principal acts as: itself, every group it is in directly or through groups, and `everyone`."""
    return frozenset(connection.scalars(_SUBJECTS, {"principal": principal.subject})) | {EVERYONE}


def readable_classes(connection: Connection, subjects: Iterable[str]) -> tuple[int, ...]:
    """Classes that allow one of the subjects and deny none, ascending. The rule of `AccessPolicy.readable_by`, in SQL."""
    return tuple(connection.scalars(_READABLE, {"subjects": sorted(subjects)}))


def passages_in(connection: Connection, classes: Sequence[int]) -> int:
    return int(connection.scalar(_PASSAGES, {"classes": list(classes)}) or 0) if classes else 0


def count_passages(connection: Connection, deltas: dict[int, int]) -> None:
    """Add to the number of current passages of each class."""
    rows = [{"class": access_class, "delta": delta} for access_class, delta in sorted(deltas.items()) if delta]
    if rows:
        connection.execute(_COUNT, rows)


def _subjects_query() -> CompoundSelect[tuple[str]]:
    start = select(memberships.c.group.label("subject"), literal(1).label("depth")).where(memberships.c.member == bindparam("principal"))
    reached = start.cte("reached", recursive=True)
    onward = select(memberships.c.group, reached.c.depth + 1).where(
        memberships.c.member == reached.c.subject, reached.c.depth < MAX_GROUP_DEPTH
    )
    reached = reached.union(onward)
    return union(select(reached.c.subject), select(bindparam("principal")))


_SUBJECTS = _subjects_query()
_DENIED = select(grants.c.access_class).where(grants.c.effect == "deny", grants.c.subject.in_(bindparam("subjects", expanding=True)))
_READABLE = (
    select(grants.c.access_class)
    .where(grants.c.effect == "allow", grants.c.subject.in_(bindparam("subjects", expanding=True)), grants.c.access_class.not_in(_DENIED))
    .distinct()
    .order_by(grants.c.access_class)
)
_PASSAGES = select(func.sum(access_classes.c.passages)).where(access_classes.c.id.in_(bindparam("classes", expanding=True)))
_COUNT = (
    update(access_classes).where(access_classes.c.id == bindparam("class")).values(passages=access_classes.c.passages + bindparam("delta"))
)
