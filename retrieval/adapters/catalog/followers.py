"""Who follows the catalog with an index, how far they are, and the request to build an index anew."""

import os
import socket
from datetime import timedelta

from sqlalchemy import insert, select, update

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import index_followers
from retrieval.domain.clock import unstamp
from retrieval.ports.writing import FollowerStatus

ALIVE_SECONDS = 15
"""A follower that has not been heard of for longer counts as gone."""


class CatalogFollowers:
    """`FollowerRegistry` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def report(self, name: str, *, applied_revision: int, generation: int, passages: int, state: str) -> bool:
        values = {
            "applied_revision": applied_revision,
            "generation": generation,
            "passages": passages,
            "state": state,
            "heartbeat_at": self._database.now(),
            "process": os.getpid(),
            "host": socket.gethostname(),
        }
        mine = index_followers.c.name == name
        with self._database.write() as connection:
            requested = connection.scalar(select(index_followers.c.rebuild_requested).where(mine))
            if requested is None:
                connection.execute(insert(index_followers).values(name=name, rebuild_requested=False, **values))
            else:
                connection.execute(update(index_followers).where(mine).values(**values))
        return bool(requested)

    def rebuild_started(self, name: str) -> None:
        self._request(name, wanted=False)

    def request_rebuild(self, name: str | None = None) -> int:
        with self._database.write() as connection:
            query = update(index_followers).values(rebuild_requested=True)
            return connection.execute(query if name is None else query.where(index_followers.c.name == name)).rowcount

    def followers(self) -> list[FollowerStatus]:
        with self._database.read() as connection:
            rows = connection.execute(select(index_followers).order_by(index_followers.c.name)).all()
        return [
            FollowerStatus(r.name, r.applied_revision, r.generation, r.passages, r.state, r.heartbeat_at, r.process, r.host) for r in rows
        ]

    def is_alive(self, follower: FollowerStatus) -> bool:
        return self._database.clock.now() - unstamp(follower.heartbeat_at) <= timedelta(seconds=ALIVE_SECONDS)

    def _request(self, name: str, *, wanted: bool) -> None:
        with self._database.write() as connection:
            connection.execute(update(index_followers).where(index_followers.c.name == name).values(rebuild_requested=wanted))
