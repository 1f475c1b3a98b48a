"""Who is to be told that an escalation is closed: written in the transaction that closes it, sent later."""

import secrets
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from retrieval.adapters.catalog.tables import deliveries, webhooks
from retrieval.domain.permissions import PrincipalKind
from retrieval.ports.delivery import Channel


def tell(connection: Connection, row: Row[Any], *, by_mail: bool, at: str) -> None:
    """One message for each channel: to the application that asked, where it registered a webhook, and by mail to a person."""
    application = row.through or row.asker
    is_registered = connection.execute(select(webhooks.c.url).where(webhooks.c.application == application)).first() is not None
    is_person = row.asker.startswith(f"{PrincipalKind.USER.value}:")
    channels = ([Channel.WEBHOOK] if is_registered else []) + ([Channel.EMAIL] if by_mail and is_person else [])
    if channels:
        connection.execute(insert(deliveries), [_message(row.id, channel, at) for channel in channels])


def keep_poll(connection: Connection, escalation: str, *, at: str) -> None:
    """The asker came and was shown the answer. There is one such record, whatever happens later."""
    kept = {**_message(escalation, Channel.POLL, at), "state": "sent", "attempts": 1, "next_attempt_at": None, "sent_at": at}
    connection.execute(insert(deliveries).values(kept))


def _message(escalation: str, channel: Channel, at: str) -> dict[str, Any]:
    return {
        "escalation": escalation,
        "channel": channel.value,
        "state": "waiting",
        "message_id": f"msg_{secrets.token_hex(16)}",
        "attempts": 0,
        "next_attempt_at": at,
        "created_at": at,
    }
