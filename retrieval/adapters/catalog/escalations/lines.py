"""What hangs on an escalation: the lines of its history, and who may review it."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert

from retrieval.adapters.catalog.escalations.rows import EscalationSecrets
from retrieval.adapters.catalog.tables import escalation_events, escalation_reviewers
from retrieval.domain.reviews import ReviewEvent


def add_line(connection: Connection, escalation: str, version: int, line: ReviewEvent, secrets: EscalationSecrets) -> None:
    """What made this version. Exactly one change makes each: a second one breaks the primary key, and with it its transaction."""
    values = {"at": line.at, "by": line.by, "what": line.what, "note": line.note and secrets.sealed(line.note, escalation)}
    connection.execute(insert(escalation_events).values(escalation=escalation, version=version, **values))


def assign(connection: Connection, escalation: str, reviewers: Sequence[str]) -> None:
    """Exactly these from now on."""
    connection.execute(delete(escalation_reviewers).where(escalation_reviewers.c.escalation == escalation))
    if reviewers:
        connection.execute(
            insert(escalation_reviewers), [{"escalation": escalation, "subject": subject} for subject in sorted(set(reviewers))]
        )
