"""Work that one process of several does at a time."""

from datetime import timedelta

from sqlalchemy import insert, or_, select, update

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import leases
from retrieval.domain.clock import stamp
from retrieval.domain.errors import Conflict


class CatalogLeases:
    """`WorkLease` over the catalog: a row that is taken over when its time is over."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, *, holder: str, seconds: float) -> bool:
        now = self._database.clock.now()
        until = stamp(now + timedelta(seconds=seconds))
        is_free = or_(leases.c.holder == holder, leases.c.until <= stamp(now))
        try:
            with self._database.write() as connection:
                taken = update(leases).where(leases.c.name == name, is_free).values(holder=holder, until=until)
                if connection.execute(taken).rowcount:
                    return True
                if connection.execute(select(leases.c.name).where(leases.c.name == name)).first() is not None:
                    return False
                connection.execute(insert(leases).values(name=name, holder=holder, until=until))
        except Conflict:
            return False  # somebody else was the first ever
        return True
