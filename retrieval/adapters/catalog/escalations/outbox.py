"""Who is to be told that an escalation is closed: written in the transaction that closes it, sent later."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.outboxes import SENT, TableOutbox, waiting_message, with_webhooks
from retrieval.adapters.catalog.tables import deliveries, escalations
from retrieval.domain.audit import AuditAction
from retrieval.domain.permissions import PrincipalKind
from retrieval.ports.delivery import Channel, Message


class CatalogOutbox(TableOutbox):
    """Of escalations."""

    def __init__(self, database: Database) -> None:
        with_asker = select(deliveries, escalations.c.asker, escalations.c.through).join(
            escalations, escalations.c.id == deliveries.c.escalation
        )
        told = (AuditAction.ESCALATION_DELIVERED, lambda message: {"escalation": message.about, "channel": message.channel.value})
        super().__init__(database, deliveries, messages=with_asker, message_of=_message_of, told=told)


def tell(connection: Connection, row: Row[Any], *, by_mail: bool, at: str) -> None:
    """One message for each channel: to the application that asked, where it registered a webhook, and by mail to a person."""
    application = row.through or row.asker
    is_registered = bool(with_webhooks(connection, [application]))
    is_person = row.asker.startswith(f"{PrincipalKind.USER.value}:")
    channels = ([Channel.WEBHOOK] if is_registered else []) + ([Channel.EMAIL] if by_mail and is_person else [])
    if channels:
        connection.execute(insert(deliveries), [_columns(row.id, channel, at) for channel in channels])


def keep_poll(connection: Connection, escalation: str, *, at: str) -> None:
    """The asker came and was shown the answer. There is one such record, whatever happens later."""
    kept = {**_columns(escalation, Channel.POLL, at), "state": SENT, "attempts": 1, "next_attempt_at": None, "sent_at": at}
    connection.execute(insert(deliveries).values(kept))


def _columns(escalation: str, channel: Channel, at: str) -> dict[str, Any]:
    return {"escalation": escalation, "channel": channel.value, **waiting_message(at)}


def _message_of(row: Row[Any]) -> Message:
    is_application = row.asker.startswith(f"{PrincipalKind.APP.value}:")
    application = row.through or (row.asker if is_application else None)
    return Message(row.message_id, row.escalation, Channel(row.channel), row.asker, application, row.attempts, row.created_at)
