"""The processes that answer queries, and the embedding models that each is ready for."""

import json
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import model_readers
from retrieval.domain.clock import unstamp
from retrieval.domain.embedding_models import ModelReader

ALIVE_SECONDS = 15
"""A reader that has not been heard of for longer counts as gone."""


class CatalogModelReaders:
    """`ModelReaders` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def report(self, name: str, *, serving: str, prepared: Sequence[str]) -> None:
        values = {"serving": serving, "prepared": json.dumps(sorted(prepared)), "heartbeat_at": self._database.now()}
        with self._database.write() as connection:
            if connection.execute(update(model_readers).where(model_readers.c.name == name).values(**values)).rowcount == 0:
                connection.execute(insert(model_readers).values(name=name, **values))

    def leave(self, name: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(model_readers).where(model_readers.c.name == name))

    def readers(self) -> list[ModelReader]:
        now = self._database.clock.now()
        with self._database.read() as connection:
            rows = connection.execute(select(model_readers).order_by(model_readers.c.name)).all()
        return [
            ModelReader(
                row.name,
                row.serving,
                tuple(json.loads(row.prepared)),
                row.heartbeat_at,
                is_alive=now - unstamp(row.heartbeat_at) <= timedelta(seconds=ALIVE_SECONDS),
            )
            for row in rows
        ]
