"""Who is to be told that a source's contract is broken, or holds again: written with the verdict, sent later."""

import json
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, Row, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import contract_notices, memberships, webhooks
from retrieval.domain.audit import SERVICE, AuditAction, AuditEntry
from retrieval.domain.permissions import PrincipalKind
from retrieval.ports.delivery import Channel, Message, Occasion

MOST_OF_A_GROUP = 50
"""Members of a group that are told, in the order of their subjects."""
_WAITING, _SENT, _DEAD = "waiting", "sent", "dead"
_BROKEN, _HOLDS = "broken", "holds"
_OCCASIONS = {_BROKEN: Occasion.CONTRACT_BROKEN, _HOLDS: Occasion.CONTRACT_HOLDS}

_log = structlog.get_logger(__name__)


class CatalogContractNotices:
    """`Outbox` of contracts over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, *, count: int) -> Sequence[Message]:
        waiting = (
            select(contract_notices)
            .where(contract_notices.c.state == _WAITING, contract_notices.c.next_attempt_at <= self._database.now())
            .order_by(contract_notices.c.next_attempt_at, contract_notices.c.message_id)
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
        waiting = (contract_notices.c.message_id == message.id, contract_notices.c.state == _WAITING)
        with self._database.write() as connection:
            changed = connection.execute(update(contract_notices).where(*waiting).values(**values, attempts=message.attempts + 1)).rowcount
            if changed and outcome != _WAITING:
                told = {"source": message.about, "channel": message.channel.value, "message": message.id}
                append(connection, AuditEntry(AuditAction.CONTRACT_TOLD, SERVICE.subject, outcome=outcome, details=told), at=at)


def tell(connection: Connection, source: str, broken: Sequence[str], subjects: Sequence[str], *, by_mail: bool, at: str) -> None:
    """One message for each of them and each way of telling them: applications by webhook, people by mail. The log is told always."""
    what = _BROKEN if broken else _HOLDS
    _log.warning(f"contract_{what}", source=source, rules=list(broken))
    rows = [
        {
            "message_id": f"msg_{secrets.token_hex(16)}",
            "source": source,
            "told": what,
            "rules": json.dumps(list(broken)),
            "recipient": recipient,
            "channel": channel.value,
            "state": _WAITING,
            "attempts": 0,
            "next_attempt_at": at,
            "created_at": at,
        }
        for recipient, channel in sorted(set(_ways(connection, subjects, by_mail=by_mail)))
    ]
    if rows:
        connection.execute(insert(contract_notices), rows)


def _ways(connection: Connection, subjects: Sequence[str], *, by_mail: bool) -> Iterator[tuple[str, Channel]]:
    for subject in [each for named in subjects for each in _people(connection, named)]:
        kind = subject.partition(":")[0]
        if kind == PrincipalKind.APP.value:
            if connection.scalar(select(webhooks.c.application).where(webhooks.c.application == subject)) is not None:
                yield subject, Channel.WEBHOOK
        elif kind == PrincipalKind.USER.value and by_mail:
            yield subject, Channel.EMAIL


def _people(connection: Connection, subject: str) -> Sequence[str]:
    """A group's own members; anybody else is one by themselves."""
    if not subject.startswith("group:"):
        return [subject]
    members = select(memberships.c.member).where(memberships.c.group == subject).order_by(memberships.c.member).limit(MOST_OF_A_GROUP)
    return list(connection.scalars(members))


def _message_of(row: Row[Any]) -> Message:
    is_application = row.recipient.startswith(f"{PrincipalKind.APP.value}:")
    return Message(
        row.message_id,
        row.source,
        Channel(row.channel),
        row.recipient,
        row.recipient if is_application else None,
        row.attempts,
        row.created_at,
        occasion=_OCCASIONS[row.told],
        details={"rules": json.loads(row.rules)},
    )
