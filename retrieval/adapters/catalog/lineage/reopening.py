"""Decided questions whose answer stands on what is recalled: they wait for a reviewer again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from retrieval.adapters.catalog.escalations.lines import add_line
from retrieval.adapters.catalog.escalations.rows import EscalationSecrets, escalations_of
from retrieval.adapters.catalog.tables import deliveries, escalations
from retrieval.domain.audit import SERVICE
from retrieval.domain.escalations import Delivery, Escalation, EscalationState
from retrieval.domain.reviews import ReviewEvent

AT_ONCE = 200
WHAT = "reopened"
"""In the history of an escalation."""


@dataclass(frozen=True)
class Deadlines:
    """Until when a question that is opened again should be decided, and is kept waiting; as the database writes times."""

    due_at: str
    expires_at: str


def decided_on(connection: Connection, versions: Collection[str], secrets: EscalationSecrets) -> list[str]:
    """Ids of answered escalations that cite one of the versions.

    Not of answers that were withheld from their asker, who would else learn that something happened to what they may not read.
    """
    answered = (escalations.c.state == EscalationState.ANSWERED.value, escalations.c.delivery.is_distinct_from(Delivery.WITHHELD.value))
    page = select(escalations).where(*answered).order_by(escalations.c.id).limit(AT_ONCE)
    found: list[str] = []
    after = ""
    while rows := connection.execute(page.where(escalations.c.id > after)).all():
        found += [each.id for each in escalations_of(connection, rows, secrets) if _cites(each, versions)]
        after = rows[-1].id
    return found


def reopen(connection: Connection, ids: Sequence[str], deadlines: Deadlines, secrets: EscalationSecrets, *, at: str) -> None:
    """Forget what was decided, and what was to be told of it. What the asker was shown stays in the audit log."""
    taken = select(escalations.c.id, escalations.c.version).where(escalations.c.id.in_(list(ids))).order_by(escalations.c.id)
    rows: Sequence[Row[Any]] = connection.execute(taken.with_for_update()).all()
    connection.execute(delete(deliveries).where(deliveries.c.escalation.in_([row.id for row in rows])))
    cleared = dict.fromkeys(("claimed_by", "lease_until", "closed_at", "resolution", "delivery"))
    values = {**cleared, "state": EscalationState.OPEN.value, "due_at": deadlines.due_at, "expires_at": deadlines.expires_at}
    for row in rows:
        connection.execute(update(escalations).where(escalations.c.id == row.id).values(**values, version=row.version + 1))
        add_line(connection, row.id, row.version + 1, ReviewEvent(at, SERVICE.subject, WHAT), secrets)


def _cites(escalation: Escalation, versions: Collection[str]) -> bool:
    sentences = () if escalation.resolution is None else escalation.resolution.sentences
    return any(cited.version in versions for sentence in sentences for cited in sentence.cites)
