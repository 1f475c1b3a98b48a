"""Telling applications of a recall: written in the transaction that makes it, sent later by their webhooks."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import recall_notices, webhooks
from retrieval.domain.audit import SERVICE, AuditAction, AuditEntry
from retrieval.ports.delivery import Channel, Message, Occasion

MAX_REQUESTS = 1_000
"""Newest requests that one notice names."""
_WAITING, _SENT, _DEAD = "waiting", "sent", "dead"


class CatalogRecallNotices:
    """`Outbox` over the catalog, of recalls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, *, count: int) -> Sequence[Message]:
        waiting = (
            select(recall_notices)
            .where(recall_notices.c.state == _WAITING, recall_notices.c.next_attempt_at <= self._database.now())
            .order_by(recall_notices.c.next_attempt_at, recall_notices.c.message_id)
            .limit(count)
        )
        with self._database.read() as connection:
            return [_message(row) for row in connection.execute(waiting)]

    def sent(self, message: Message) -> None:
        now = self._database.now()
        self._settle(message, {"state": _SENT, "sent_at": now, "next_attempt_at": None, "problem": None}, at=now)

    def failed(self, message: Message, reason: str, *, next_attempt_at: str | None) -> None:
        state = _WAITING if next_attempt_at is not None else _DEAD
        self._settle(message, {"state": state, "next_attempt_at": next_attempt_at, "problem": reason}, at=self._database.now())

    def _settle(self, message: Message, values: Mapping[str, Any], *, at: str) -> None:
        """Once sent or given up it stays so, whoever else has been sending it meanwhile."""
        waiting = (recall_notices.c.message_id == message.id, recall_notices.c.state == _WAITING)
        with self._database.write() as connection:
            changed = connection.execute(update(recall_notices).where(*waiting).values(**values, attempts=message.attempts + 1)).rowcount
            if changed and values["state"] != _WAITING:
                told = {"recall": message.about, "application": message.application, "message": message.id}
                append(connection, AuditEntry(AuditAction.RECALL_DELIVERED, SERVICE.subject, outcome=values["state"], details=told), at=at)


def with_webhooks(connection: Connection, applications: Sequence[str]) -> list[str]:
    """Those of them that want to be told."""
    return list(
        connection.scalars(
            select(webhooks.c.application).where(webhooks.c.application.in_(list(applications))).order_by(webhooks.c.application)
        )
    )


def notify(connection: Connection, recall: str, requests: Mapping[str, Sequence[str]], *, at: str) -> None:
    """One notice for each application, with the requests of its own that stood on what is recalled."""
    rows = [
        {
            "recall": recall,
            "application": application,
            "state": _WAITING,
            "requests": json.dumps(list(ids)[:MAX_REQUESTS]),
            "message_id": f"msg_{secrets.token_hex(16)}",
            "attempts": 0,
            "next_attempt_at": at,
            "created_at": at,
        }
        for application, ids in requests.items()
    ]
    if rows:
        connection.execute(insert(recall_notices), rows)


def _message(row: Any) -> Message:  # noqa: ANN401 - a row
    return Message(
        row.message_id,
        row.recall,
        Channel.WEBHOOK,
        row.application,
        row.application,
        row.attempts,
        row.created_at,
        occasion=Occasion.RECALL_MADE,
        details={"requests": json.loads(row.requests)},
    )
