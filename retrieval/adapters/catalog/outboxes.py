"""What the catalog's outboxes share: messages are written with what they tell of, sent later, and settled once."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import webhooks
from retrieval.domain.audit import SERVICE, AuditAction, AuditEntry
from retrieval.ports.delivery import Message

WAITING, SENT, DEAD = "waiting", "sent", "dead"
"""The states of a message. `dead`: it was given up."""


class TableOutbox:
    """`Outbox` over a table with `waiting_message`'s columns, and `sent_at` and `problem`.

    Args:
        messages: the rows of which messages are made.
        message_of: such a row as a message.
        told: under which action it is recorded that a message was sent or given up, and with which details.
    """

    def __init__(
        self,
        database: Database,
        table: Table,
        *,
        messages: Select[Any],
        message_of: Callable[[Row[Any]], Message],
        told: tuple[AuditAction, Callable[[Message], Mapping[str, str | None]]],
    ) -> None:
        self._database = database
        self._table = table
        self._messages = messages
        self._message_of = message_of
        self._action, self._details = told

    def due(self, *, count: int) -> Sequence[Message]:
        columns = self._table.c
        waiting = self._messages.where(columns.state == WAITING, columns.next_attempt_at <= self._database.now())
        with self._database.read() as connection:
            rows = connection.execute(waiting.order_by(columns.next_attempt_at, columns.message_id).limit(count)).all()
        return [self._message_of(row) for row in rows]

    def sent(self, message: Message) -> None:
        self._settle(message, {"state": SENT, "sent_at": self._database.now(), "next_attempt_at": None, "problem": None})

    def failed(self, message: Message, reason: str, *, next_attempt_at: str | None) -> None:
        state = WAITING if next_attempt_at is not None else DEAD
        self._settle(message, {"state": state, "next_attempt_at": next_attempt_at, "problem": reason})

    def _settle(self, message: Message, values: Mapping[str, Any]) -> None:
        """Once sent or given up it stays so, whoever else has been sending it meanwhile."""
        waiting = (self._table.c.message_id == message.id, self._table.c.state == WAITING)
        with self._database.write() as connection:
            changed = connection.execute(update(self._table).where(*waiting).values(**values, attempts=message.attempts + 1)).rowcount
            if changed and values["state"] != WAITING:
                details = {**self._details(message), "message": message.id}
                entry = AuditEntry(self._action, SERVICE.subject, outcome=values["state"], details=details)
                append(connection, entry, at=self._database.now())


def waiting_message(at: str) -> dict[str, Any]:
    """The columns of a message that is to be sent as soon as it can be."""
    return {"message_id": f"msg_{secrets.token_hex(16)}", "state": WAITING, "attempts": 0, "next_attempt_at": at, "created_at": at}


def with_webhooks(connection: Connection, applications: Sequence[str]) -> list[str]:
    """Those of these applications that want to be told."""
    found = select(webhooks.c.application).where(webhooks.c.application.in_(list(applications))).order_by(webhooks.c.application)
    return list(connection.scalars(found))
