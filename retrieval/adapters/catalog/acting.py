"""As whom a principal acts where it is not about reading: which sources it answers for, which questions it may decide."""

from sqlalchemy import Connection, Select, literal, select, union_all

from retrieval.adapters.catalog.tables import Key, directory, memberships
from retrieval.domain.permissions import Principal


def acts_as(connection: Connection, principal: Principal) -> frozenset[str]:
    """The principal's subject and all groups that it is in; nothing when it, or the application that asks for it, is inactive.

    Never `everyone`: what everyone answers for, nobody does.
    """
    return frozenset(connection.scalars(acting_subjects(principal))) if is_active(connection, principal) else frozenset()


def is_active(connection: Connection, principal: Principal) -> bool:
    """Whether neither the principal nor the application that asks for it has been deactivated or deleted."""
    asking = [principal.subject] + ([] if principal.through is None else [principal.through.subject])
    inactive = select(directory.c.subject).where(directory.c.subject.in_(asking), directory.c.active.is_(False))
    return connection.execute(inactive).first() is None


def acting_subjects(principal: Principal) -> Select[tuple[str]]:
    """The same subjects, active or not, for use within a statement."""
    own = [principal.subject, *sorted(principal.groups)]
    seeds = union_all(*(select(literal(subject, Key).label("subject")) for subject in own)).cte("seeds")
    reached = select(seeds.c.subject).cte("reached", recursive=True)
    onward = select(memberships.c.group).join(reached, memberships.c.member == reached.c.subject)
    return select(reached.union(onward).c.subject)
