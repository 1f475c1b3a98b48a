"""What time does to escalations: claims lapse, questions expire, and what has been closed for long is forgotten."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.escalations.lines import add_line
from retrieval.adapters.catalog.escalations.outbox import tell
from retrieval.adapters.catalog.escalations.rows import EscalationSecrets
from retrieval.adapters.catalog.tables import access_requests, deliveries, escalation_events, escalation_reviewers, escalations
from retrieval.domain.audit import OPERATOR, SERVICE, AuditAction, AuditEntry, Detail
from retrieval.domain.clock import stamp
from retrieval.domain.escalations import PENDING, EscalationState
from retrieval.domain.reviews import ReviewEvent

_PENDING = sorted(PENDING)
_CHILDREN = (deliveries, escalation_events, escalation_reviewers)


class CatalogSweep:
    """`EscalationSweep` over the catalog. Each call is one transaction of at most `batch` escalations."""

    def __init__(self, database: Database, *, batch: int, retention_days: int, by_mail: bool) -> None:
        self._database = database
        self._batch = batch
        self._retention = timedelta(days=retention_days)
        self._by_mail = by_mail

    def lapse(self) -> int:
        now = self._database.now()
        is_lapsed = (escalations.c.state == EscalationState.CLAIMED.value) & (escalations.c.lease_until <= now)
        values = {"state": EscalationState.OPEN.value, "claimed_by": None, "lease_until": None}
        return self._change(is_lapsed, values, AuditAction.ESCALATION_RELEASED, now)

    def expire(self) -> int:
        now = self._database.now()
        is_over = escalations.c.state.in_(_PENDING) & (escalations.c.expires_at <= now)
        values = {"state": EscalationState.EXPIRED.value, "closed_at": now, "lease_until": None, "pending_key": None}
        return self._change(is_over, values, AuditAction.ESCALATION_EXPIRED, now)

    def forget(self) -> int:
        """Delete what has been closed for longer than it is kept."""
        return self._forget(escalations.c.closed_at <= stamp(self._database.clock.now() - self._retention), by=SERVICE.subject)

    def forget_asker(self, subject: str) -> int:
        """Delete all that one person asked, through whatever application, pending or closed, and what owners were asked for it.

        Returns how many escalations.
        """
        forgotten = 0
        with self._database.write() as connection:
            connection.execute(delete(access_requests).where(access_requests.c.asker == subject))
            append(connection, _forgotten(OPERATOR.subject, asker=subject), at=self._database.now())
        while some := self._forget(escalations.c.asker == subject, by=OPERATOR.subject):
            forgotten += some
        return forgotten

    def _change(self, which: ColumnElement[bool], values: Mapping[str, Any], action: AuditAction, now: str) -> int:
        secrets = self._secrets
        with self._database.write() as connection:
            rows = self._taken(connection, which)
            for row in rows:
                version = row.version + 1
                connection.execute(update(escalations).where(escalations.c.id == row.id).values(**values, version=version))
                line = ReviewEvent(now, SERVICE.subject, action.value.rpartition(".")[2])
                add_line(connection, row.id, version, line, secrets)
                if "closed_at" in values:
                    tell(connection, row, by_mail=self._by_mail, at=now)
            entries = [AuditEntry(action, SERVICE.subject, outcome="in time", details={"escalation": row.id}) for row in rows]
            append(connection, *entries, at=now)
            return len(rows)

    def _forget(self, which: ColumnElement[bool], *, by: str) -> int:
        with self._database.write() as connection:
            ids = [row.id for row in self._taken(connection, which)]
            for table in _CHILDREN:
                connection.execute(delete(table).where(table.c.escalation.in_(ids)))
            connection.execute(delete(escalations).where(escalations.c.id.in_(ids)))
            append(connection, *([_forgotten(by, escalations=ids)] if ids else []), at=self._database.now())
            return len(ids)

    def _taken(self, connection: Connection, which: ColumnElement[bool]) -> list[Row[Any]]:
        """Locked until the transaction ends; what somebody changes just now is left for the next time."""
        some = select(escalations).where(which).order_by(escalations.c.id).limit(self._batch).with_for_update(skip_locked=True)
        return list(connection.execute(some))

    @cached_property
    def _secrets(self) -> EscalationSecrets:
        return EscalationSecrets.of(self._database)


def _forgotten(by: str, **what: Detail) -> AuditEntry:
    return AuditEntry(AuditAction.ESCALATIONS_FORGOTTEN, by, details=what)
