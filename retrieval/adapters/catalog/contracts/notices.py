"""Who is to be told that a source's contract is broken, or holds again: written with the verdict, sent later."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, Row, insert, select

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.outboxes import TableOutbox, waiting_message, with_webhooks
from retrieval.adapters.catalog.tables import contract_notices, memberships
from retrieval.domain.audit import AuditAction
from retrieval.domain.permissions import PrincipalKind
from retrieval.ports.delivery import Channel, Message, Occasion

MOST_OF_A_GROUP = 50
"""Members of a group that are told, in the order of their subjects."""
_BROKEN, _HOLDS = "broken", "holds"
_OCCASIONS = {_BROKEN: Occasion.CONTRACT_BROKEN, _HOLDS: Occasion.CONTRACT_HOLDS}

_log = structlog.get_logger(__name__)


class CatalogContractNotices(TableOutbox):
    """`Outbox` of contracts."""

    def __init__(self, database: Database) -> None:
        told = (AuditAction.CONTRACT_TOLD, lambda message: {"source": message.about, "channel": message.channel.value})
        super().__init__(database, contract_notices, messages=select(contract_notices), message_of=_message_of, told=told)


def tell(connection: Connection, source: str, broken: Sequence[str], subjects: Sequence[str], *, by_mail: bool, at: str) -> None:
    """One message for each of them and each way of telling them: applications by webhook, people by mail. The log is told always."""
    what = _BROKEN if broken else _HOLDS
    _log.warning(f"contract_{what}", source=source, rules=list(broken))
    rows = [
        {
            "source": source,
            "told": what,
            "rules": json.dumps(list(broken)),
            "recipient": recipient,
            "channel": channel.value,
            **waiting_message(at),
        }
        for recipient, channel in sorted(set(_ways(connection, subjects, by_mail=by_mail)))
    ]
    if rows:
        connection.execute(insert(contract_notices), rows)


def _ways(connection: Connection, subjects: Sequence[str], *, by_mail: bool) -> Iterator[tuple[str, Channel]]:
    for subject in [each for named in subjects for each in _people(connection, named)]:
        kind = subject.partition(":")[0]
        if kind == PrincipalKind.APP.value:
            yield from ((application, Channel.WEBHOOK) for application in with_webhooks(connection, [subject]))
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
