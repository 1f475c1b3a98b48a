"""Where applications want to be told."""

from functools import cached_property

from sqlalchemy import delete, insert, select

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.escalations.rows import EscalationSecrets
from retrieval.adapters.catalog.tables import webhooks
from retrieval.domain.audit import AuditAction, AuditEntry
from retrieval.domain.errors import InvalidInput
from retrieval.ports.delivery import Webhook

_REFERENCES = ("env:", "file:")


class CatalogWebhooks:
    """`Webhooks` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, application: str, url: str, *, secret: str, by: str) -> None:
        kept = secret if secret.startswith(_REFERENCES) else self._secrets.sealed(secret, application)
        now = self._database.now()
        with self._database.write() as connection:
            connection.execute(delete(webhooks).where(webhooks.c.application == application))
            values = {"application": application, "url": url, "secret": kept, "registered_at": now, "registered_by": by}
            connection.execute(insert(webhooks).values(values))
            append(connection, AuditEntry(AuditAction.WEBHOOK_REGISTERED, by, details={"application": application}), at=now)

    def remove(self, application: str, *, by: str) -> None:
        with self._database.write() as connection:
            if not connection.execute(delete(webhooks).where(webhooks.c.application == application)).rowcount:
                raise InvalidInput.of("application", "has no webhook")
            entry = AuditEntry(AuditAction.WEBHOOK_REMOVED, by, details={"application": application})
            append(connection, entry, at=self._database.now())

    def list(self) -> list[Webhook]:
        with self._database.read() as connection:
            rows = connection.execute(select(webhooks).order_by(webhooks.c.application)).all()
        return [
            Webhook(row.application, row.url, row.secret if row.secret.startswith(_REFERENCES) else "", row.registered_at) for row in rows
        ]

    def find(self, application: str) -> tuple[str, str] | None:
        with self._database.read() as connection:
            row = connection.execute(select(webhooks).where(webhooks.c.application == application)).one_or_none()
        if row is None:
            return None
        is_reference = row.secret.startswith(_REFERENCES)
        return row.url, row.secret if is_reference else self._secrets.opened(row.secret, application)

    @cached_property
    def _secrets(self) -> EscalationSecrets:
        return EscalationSecrets.of(self._database)
