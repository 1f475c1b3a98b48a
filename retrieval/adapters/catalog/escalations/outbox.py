"""Who is to be told that an escalation is closed: written in the transaction that closes it, sent later."""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import deliveries, escalations, webhooks
from retrieval.domain.audit import SERVICE, AuditAction, AuditEntry
from retrieval.domain.permissions import PrincipalKind
from retrieval.ports.delivery import Channel, Message

_WAITING, _SENT, _DEAD = "waiting", "sent", "dead"


class CatalogOutbox:
    """`Outbox` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, *, count: int) -> Sequence[Message]:
        waiting = (
            select(deliveries, escalations.c.asker, escalations.c.through)
            .join(escalations, escalations.c.id == deliveries.c.escalation)
            .where(deliveries.c.state == _WAITING, deliveries.c.next_attempt_at <= self._database.now())
            .order_by(deliveries.c.next_attempt_at, deliveries.c.message_id)
            .limit(count)
        )
        with self._database.read() as connection:
            return [_message_of(row) for row in connection.execute(waiting)]

    def sent(self, message: Message) -> None:
        now = self._database.now()
        self._settle(message, {"state": _SENT, "sent_at": now, "next_attempt_at": None, "problem": None}, outcome=_SENT, at=now)

    def failed(self, message: Message, reason: str, *, next_attempt_at: str | None) -> None:
        state = _WAITING if next_attempt_at is not None else _DEAD
        values = {"state": state, "next_attempt_at": next_attempt_at, "problem": reason}
        self._settle(message, values, outcome=state, at=self._database.now())

    def _settle(self, message: Message, values: dict[str, Any], *, outcome: str, at: str) -> None:
        """Once sent or given up it stays so, whoever else has been sending it meanwhile."""
        waiting = (deliveries.c.message_id == message.id, deliveries.c.state == _WAITING)
        with self._database.write() as connection:
            changed = connection.execute(update(deliveries).where(*waiting).values(**values, attempts=message.attempts + 1)).rowcount
            if changed and outcome != _WAITING:
                told = {"escalation": message.about, "channel": message.channel.value, "message": message.id}
                entry = AuditEntry(AuditAction.ESCALATION_DELIVERED, SERVICE.subject, outcome=outcome, details=told)
                append(connection, entry, at=at)


def tell(connection: Connection, row: Row[Any], *, by_mail: bool, at: str) -> None:
    """One message for each channel: to the application that asked, where it registered a webhook, and by mail to a person."""
    application = row.through or row.asker
    is_registered = connection.execute(select(webhooks.c.url).where(webhooks.c.application == application)).first() is not None
    is_person = row.asker.startswith(f"{PrincipalKind.USER.value}:")
    channels = ([Channel.WEBHOOK] if is_registered else []) + ([Channel.EMAIL] if by_mail and is_person else [])
    if channels:
        connection.execute(insert(deliveries), [_columns(row.id, channel, at) for channel in channels])


def keep_poll(connection: Connection, escalation: str, *, at: str) -> None:
    """The asker came and was shown the answer. There is one such record, whatever happens later."""
    kept = {**_columns(escalation, Channel.POLL, at), "state": _SENT, "attempts": 1, "next_attempt_at": None, "sent_at": at}
    connection.execute(insert(deliveries).values(kept))


def _columns(escalation: str, channel: Channel, at: str) -> dict[str, Any]:
    return {
        "escalation": escalation,
        "channel": channel.value,
        "state": _WAITING,
        "message_id": f"msg_{secrets.token_hex(16)}",
        "attempts": 0,
        "next_attempt_at": at,
        "created_at": at,
    }


def _message_of(row: Row[Any]) -> Message:
    is_application = row.asker.startswith(f"{PrincipalKind.APP.value}:")
    application = row.through or (row.asker if is_application else None)
    return Message(row.message_id, row.escalation, Channel(row.channel), row.asker, application, row.attempts, row.created_at)
