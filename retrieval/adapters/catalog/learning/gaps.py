"""`GapReader` over the catalog."""

import json
from collections.abc import Sequence

from sqlalchemy import select

from retrieval.adapters.catalog.acting import acts_as
from retrieval.adapters.catalog.audit.secrecy import keys_of, make_keys
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.learning import gap_rows
from retrieval.adapters.catalog.tables import gaps, sources
from retrieval.domain.gaps import Gap
from retrieval.domain.permissions import Principal
from retrieval.domain.sources import SourceState


class CatalogGaps:
    """`GapReader` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, sources: Sequence[str], *, month: str, most: int) -> list[Gap]:
        make_keys(self._database)
        newest = select(gaps).where(gaps.c.source.in_(list(sources)), gaps.c.month == month)
        newest = newest.order_by(gaps.c.at.desc(), gaps.c.source, gaps.c.kind, gaps.c.about).limit(most)
        with self._database.read() as connection:
            keys = keys_of(connection)
            return [gap_rows.read(row, keys) for row in connection.execute(newest)]

    def owned(self, principal: Principal) -> tuple[str, ...]:
        with self._database.read() as connection:
            owners = acts_as(connection, principal)
            rows = connection.execute(select(sources.c.id, sources.c.spec).where(sources.c.state != SourceState.RETIRED.value)).all()
        reach = principal.reach
        return tuple(sorted(row.id for row in rows if json.loads(row.spec)["owner"] in owners and (reach is None or row.id in reach)))
