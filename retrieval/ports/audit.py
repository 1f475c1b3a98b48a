"""Recording what was done, and reading the record."""

from collections.abc import Sequence
from typing import Protocol

from retrieval.domain.audit import AuditEntry, AuditFilter, AuditRecord
from retrieval.domain.permissions import Principal


class AuditLog(Protocol):
    """Where reads are recorded before anything of them leaves."""

    def record(self, entry: AuditEntry) -> None:
        """Returns when the record is durable. Raises CatalogUnavailable when it is not: then nothing may be shown."""


class AuditReader(Protocol):
    """The record, for those who may read it. Reading is itself recorded, before the records are given out."""

    def read(
        self, principal: Principal, wanted: AuditFilter, *, before: int | None = None, limit: int, request_id: str | None = None
    ) -> Sequence[AuditRecord]:
        """At most `limit` records, newest first, those below the number `before`.

        Newest first, because every page that is read adds a record: a list with the newest last would never end.

        Raises:
            CatalogUnavailable: it cannot be read, or the reading cannot be recorded.
        """
