"""How the sources stand that a principal answers for."""

import json

from sqlalchemy import select

from retrieval.adapters.catalog.acting import acts_as
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.sources import CatalogSources
from retrieval.adapters.catalog.tables import sources
from retrieval.domain.errors import NotReadable
from retrieval.domain.permissions import Principal
from retrieval.domain.sources import SourceState
from retrieval.ports.sources import Registration, SourceStatus


class CatalogOwnedSources:
    """`OwnedSources` over the catalog."""

    def __init__(self, database: Database, registry: CatalogSources) -> None:
        self._database = database
        self._registry = registry

    def owned(self, principal: Principal, *, after: str, count: int) -> tuple[SourceStatus, ...]:
        with self._database.read() as connection:
            owners = acts_as(connection, principal)
            kept = select(sources.c.id, sources.c.spec).where(sources.c.state != SourceState.RETIRED.value, sources.c.id > after)
            rows = connection.execute(kept.order_by(sources.c.id)).all()
        reach = principal.reach
        mine = [row.id for row in rows if json.loads(row.spec)["owner"] in owners and (reach is None or row.id in reach)]
        return tuple(self._registry.status(source) for source in mine[:count])

    def one(self, principal: Principal, source: str) -> tuple[SourceStatus, tuple[Registration, ...]]:
        with self._database.read() as connection:
            owners = acts_as(connection, principal)
            written = connection.scalar(select(sources.c.spec).where(sources.c.id == source))
        is_reached = principal.reach is None or source in principal.reach
        if written is None or json.loads(written)["owner"] not in owners or not is_reached:
            raise NotReadable("there is no such source that you answer for")
        return self._registry.status(source), self._registry.history(source)

    def acting(self, principal: Principal) -> frozenset[str]:
        with self._database.read() as connection:
            return acts_as(connection, principal)
