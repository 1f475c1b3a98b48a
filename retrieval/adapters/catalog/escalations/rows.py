"""Escalations as rows. What somebody asked, what was drafted and what was decided is encrypted, each bound to its row."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, select

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.sealing import opened, sealed
from retrieval.adapters.catalog.tables import escalation_reviewers, escalations
from retrieval.domain.errors import CatalogUnavailable
from retrieval.domain.escalations import Delivery, Escalation, EscalationDraft, EscalationState, Priority, Resolution, normalised
from retrieval.domain.permissions import Principal
from retrieval.ports.reviewing import NewEscalation

Value = TypeVar("Value")

_DRAFT, _RESOLUTION, _PRINCIPAL = TypeAdapter(EscalationDraft), TypeAdapter(Resolution), TypeAdapter(Principal)
_REASONS_BETWEEN = " "
_AS_KEPT = (
    *("id", "version", "created_at", "due_at", "expires_at", "source", "skill"),
    *("claimed_by", "claimed_at", "lease_until", "closed_at"),
)


@dataclass(frozen=True)
class EscalationSecrets:
    """The keys under which texts are encrypted, and questions hashed so that equal ones are found."""

    text: bytes = field(repr=False)
    question: bytes = field(repr=False)

    @classmethod
    def of(cls, database: Database) -> Self:
        return cls(database.secret("escalation text"), database.secret("escalation question hash"))

    def sealed(self, text: str, row: str) -> str:
        return sealed(text, self.text, bound_to=row.encode())

    def opened(self, written: str, row: str) -> str:
        """Raises CatalogUnavailable when its key is lost, or it was written for another row."""
        text = opened(written, self.text, bound_to=row.encode())
        if text is None:
            raise CatalogUnavailable("what was asked cannot be decrypted any more")
        return text

    def pending_key(self, new: NewEscalation) -> str:
        """Equal for the same asker's same question with the same restriction: 64 hexadecimal digits."""
        through = None if new.asker.through is None else new.asker.through.subject
        asked = [new.asker.subject, through, normalised(new.draft.question), sorted(new.draft.sources)]
        return hashlib.blake2b(json.dumps(asked).encode(), digest_size=32, key=self.question).hexdigest()


def columns_of(id_: str, new: NewEscalation, secrets: EscalationSecrets, *, now: str) -> dict[str, Any]:
    """An open escalation, new."""
    return {
        "id": id_,
        "asker": new.asker.subject,
        "through": None if new.asker.through is None else new.asker.through.subject,
        "principal": _written(_PRINCIPAL, new.asker),
        "pending_key": secrets.pending_key(new),
        "content": secrets.sealed(_written(_DRAFT, new.draft), id_),
        "reasons": written_reasons(new.draft.reasons),
        "priority": new.priority.value,
        "state": EscalationState.OPEN.value,
        "version": 1,
        "source": new.source,
        "is_pool": not new.reviewers,
        "skill": new.skill,
        "created_at": now,
        "due_at": new.due_at,
        "expires_at": new.expires_at,
    }


def resolution_column(id_: str, resolution: Resolution, secrets: EscalationSecrets) -> str:
    return secrets.sealed(_written(_RESOLUTION, resolution), id_)


def escalations_of(connection: Connection, rows: Iterable[Row[Any]], secrets: EscalationSecrets) -> list[Escalation]:
    """In the order of the rows."""
    listed = list(rows)
    reviewers: dict[str, list[str]] = {row.id: [] for row in listed}
    assigned = select(escalation_reviewers).where(escalation_reviewers.c.escalation.in_(list(reviewers)))
    for row in connection.execute(assigned.order_by(escalation_reviewers.c.subject)):
        reviewers[row.escalation].append(row.subject)
    return [_escalation(row, tuple(reviewers[row.id]), secrets) for row in listed]


def written_reasons(reasons: Iterable[str]) -> str:
    """Each between spaces, so that one can be looked for: ` stale low_confidence `."""
    return _REASONS_BETWEEN + "".join(reason + _REASONS_BETWEEN for reason in reasons)


def locked(connection: Connection, escalation: str) -> Row[Any] | None:
    """The row, locked until the transaction ends when it is a writing one."""
    return connection.execute(select(escalations).where(escalations.c.id == escalation).with_for_update()).one_or_none()


def _escalation(row: Row[Any], reviewers: tuple[str, ...], secrets: EscalationSecrets) -> Escalation:
    return Escalation(
        asker=_read(_PRINCIPAL, row.principal),
        draft=_read(_DRAFT, secrets.opened(row.content, row.id)),
        priority=Priority(row.priority),
        state=EscalationState(row.state),
        reviewers=reviewers,
        resolution=None if row.resolution is None else _read(_RESOLUTION, secrets.opened(row.resolution, row.id)),
        delivery=None if row.delivery is None else Delivery(row.delivery),
        **{name: getattr(row, name) for name in _AS_KEPT},
    )


def _written(kind: TypeAdapter[Value], value: Value) -> str:
    """JSON in ASCII: documents may hold half a surrogate pair, which pydantic's own JSON does not."""
    return json.dumps(kind.dump_python(value, mode="json"))


def _read(kind: TypeAdapter[Value], written: str) -> Value:
    return kind.validate_python(json.loads(written))
