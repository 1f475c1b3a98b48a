"""Telling applications of a recall: written in the transaction that makes it, sent later by their webhooks."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.outboxes import TableOutbox, waiting_message
from retrieval.adapters.catalog.tables import recall_notices
from retrieval.domain.audit import AuditAction
from retrieval.ports.delivery import Channel, Message, Occasion

MAX_REQUESTS = 1_000
"""Newest requests that one notice names."""


class CatalogRecallNotices(TableOutbox):
    """`Outbox` of recalls."""

    def __init__(self, database: Database) -> None:
        told = (AuditAction.RECALL_DELIVERED, lambda message: {"recall": message.about, "application": message.application})
        super().__init__(database, recall_notices, messages=select(recall_notices), message_of=_message, told=told)


def notify(connection: Connection, recall: str, requests: Mapping[str, Sequence[str]], *, at: str) -> None:
    """One notice for each application, with the requests of its own that stood on what is recalled."""
    rows = [
        {
            "recall": recall,
            "application": application,
            "requests": json.dumps(list(ids)[:MAX_REQUESTS]),
            **waiting_message(at),
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
