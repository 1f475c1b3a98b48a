"""Who would need to read what, kept for the owners of sources."""

import secrets as random
from collections.abc import Sequence
from functools import cached_property

from sqlalchemy import insert, select

from retrieval.adapters.catalog.acting import acts_as
from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.escalations.reader import owner_of
from retrieval.adapters.catalog.escalations.rows import EscalationSecrets
from retrieval.adapters.catalog.tables import access_requests
from retrieval.domain.audit import SERVICE, AuditAction, AuditEntry
from retrieval.domain.permissions import Principal
from retrieval.ports.access_requests import AccessRequest


class CatalogAccessRequests:
    """`AccessRequests` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, source: str, asker: str, documents: Sequence[str], question: str) -> int:
        mine = select(access_requests.c.document).where(access_requests.c.source == source, access_requests.c.asker == asker)
        secrets = self._secrets
        with self._database.write() as connection:
            known, now = set(connection.scalars(mine)), self._database.now()
            ids = {document: f"acc_{random.token_hex(16)}" for document in documents if document not in known}
            rows = [
                {"id": id_, "source": source, "asker": asker, "document": document, "created_at": now}
                | {"question": secrets.sealed(question, id_)}
                for document, id_ in ids.items()
            ]
            if rows:
                connection.execute(insert(access_requests), rows)
                details = {"source": source, "requests": list(ids.values())}
                append(connection, AuditEntry(AuditAction.ACCESS_REQUESTED, SERVICE.subject, asker, details=details), at=now)
        return len(rows)

    def owned(self, principal: Principal, *, after: str, count: int) -> list[AccessRequest]:
        with self._database.read() as connection:
            acting, reach = acts_as(connection, principal), principal.reach
            asked_for = connection.scalars(select(access_requests.c.source).distinct())
            mine = [each for each in asked_for if owner_of(connection, each) in acting and (reach is None or each in reach)]
            page = select(access_requests).where(access_requests.c.source.in_(mine), access_requests.c.id > after)
            rows = connection.execute(page.order_by(access_requests.c.id).limit(count)).all()
        return [
            AccessRequest(row.id, row.source, row.asker, row.document, self._secrets.opened(row.question, row.id), row.created_at)
            for row in rows
        ]

    @cached_property
    def _secrets(self) -> EscalationSecrets:
        return EscalationSecrets.of(self._database)
