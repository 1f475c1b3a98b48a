"""How the sources stand that a principal answers for."""

import json

from sqlalchemy import Connection, literal, select, union_all

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.sources import CatalogSources
from retrieval.adapters.catalog.tables import Key, directory, memberships, sources
from retrieval.domain.permissions import Principal
from retrieval.domain.sources import SourceState
from retrieval.ports.sources import SourceStatus


class CatalogOwnedSources:
    """`OwnedSources` over the catalog."""

    def __init__(self, database: Database, registry: CatalogSources) -> None:
        self._database = database
        self._registry = registry

    def owned(self, principal: Principal, *, after: str, count: int) -> tuple[SourceStatus, ...]:
        with self._database.read() as connection:
            owners = _acts_as(connection, principal)
            kept = select(sources.c.id, sources.c.spec).where(sources.c.state != SourceState.RETIRED.value, sources.c.id > after)
            rows = connection.execute(kept.order_by(sources.c.id)).all()
        reach = principal.reach
        mine = [row.id for row in rows if json.loads(row.spec)["owner"] in owners and (reach is None or row.id in reach)]
        return tuple(self._registry.status(source) for source in mine[:count])


def _acts_as(connection: Connection, principal: Principal) -> frozenset[str]:
    """The principal's subject and all groups that it is in; nothing when it, or the application that asks for it, is inactive.

    Never `everyone`: what everyone answers for, nobody does.
    """
    asking = [principal.subject] + ([] if principal.through is None else [principal.through.subject])
    inactive = select(directory.c.subject).where(directory.c.subject.in_(asking), directory.c.active.is_(False))
    if connection.execute(inactive).first() is not None:
        return frozenset()
    own = [principal.subject, *sorted(principal.groups)]
    seeds = union_all(*(select(literal(subject, Key).label("subject")) for subject in own)).cte("seeds")
    reached = select(seeds.c.subject).cte("reached", recursive=True)
    onward = select(memberships.c.group).join(reached, memberships.c.member == reached.c.subject)
    return frozenset(connection.scalars(select(reached.union(onward).c.subject)))
