"""Answers to writes by their idempotency key."""

from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import idempotency
from retrieval.domain.clock import stamp
from retrieval.domain.errors import Conflict
from retrieval.ports.idempotency import KeptAnswer


class CatalogIdempotency:
    """`IdempotencyStore` over the catalog: the primary key decides who of many was first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, key_hash: bytes, request_hash: bytes, *, kept_seconds: int) -> KeptAnswer | None:
        found = self._find(key_hash, kept_seconds)
        if found is not None:
            return found
        try:
            with self._database.write() as connection:
                connection.execute(delete(idempotency).where(idempotency.c.created_at <= self._forgotten_before(kept_seconds)))
                now = self._database.now()
                connection.execute(insert(idempotency).values(key_hash=key_hash, request_hash=request_hash, created_at=now))
        except Conflict:
            return self.claim(key_hash, request_hash, kept_seconds=kept_seconds)  # another one was first: what it keeps is there to find
        return None

    def complete(self, key_hash: bytes, *, status: int, sealed: bytes) -> None:
        with self._database.write() as connection:
            connection.execute(update(idempotency).where(idempotency.c.key_hash == key_hash).values(status=status, response=sealed))

    def release(self, key_hash: bytes) -> None:
        with self._database.write() as connection:
            connection.execute(delete(idempotency).where(idempotency.c.key_hash == key_hash, idempotency.c.status.is_(None)))

    def _find(self, key_hash: bytes, kept_seconds: int) -> KeptAnswer | None:
        kept = select(idempotency).where(
            idempotency.c.key_hash == key_hash, idempotency.c.created_at > self._forgotten_before(kept_seconds)
        )
        with self._database.read() as connection:
            row = connection.execute(kept).one_or_none()
        return None if row is None else KeptAnswer(bytes(row.request_hash), row.status, row.response and bytes(row.response))

    def _forgotten_before(self, kept_seconds: int) -> str:
        return stamp(self._database.clock.now() - timedelta(seconds=kept_seconds))
