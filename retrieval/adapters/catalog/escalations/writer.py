"""Changing escalations: each change is one transaction with its line of history and, last, its audit record."""

import secrets as random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.escalations.lines import add_line, assign
from retrieval.adapters.catalog.escalations.outbox import keep_poll, tell
from retrieval.adapters.catalog.escalations.reader import check_routed
from retrieval.adapters.catalog.escalations.rows import EscalationSecrets, columns_of, escalations_of, locked, resolution_column
from retrieval.adapters.catalog.tables import escalations
from retrieval.adapters.catalog.verdicts import keep_verdict
from retrieval.domain.audit import AuditAction, AuditEntry, Detail, actors
from retrieval.domain.calibration import JudgedAnswer
from retrieval.domain.errors import Conflict, Moved, NotReadable, TooManyRequests
from retrieval.domain.escalations import PENDING, Delivery, Escalation, EscalationState, Resolution, ResolutionKind
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import ReviewEvent
from retrieval.ports.reviewing import Change, NewEscalation

_PENDING = sorted(PENDING)
_OPEN: Mapping[str, Any] = {"state": EscalationState.OPEN.value, "claimed_by": None, "lease_until": None}


@dataclass(frozen=True)
class _Step:
    """What a change writes. `reviewers`: None where they stay."""

    action: AuditAction
    values: Mapping[str, Any]
    note: str = ""
    outcome: str = "done"
    details: Mapping[str, Detail] = field(default_factory=dict)
    reviewers: tuple[str, ...] | None = None
    verdict: JudgedAnswer | None = None


class CatalogEscalationWriter:
    """`EscalationWriter` over the catalog. With `by_mail`, people are told by mail when their question is decided."""

    def __init__(self, database: Database, *, by_mail: bool) -> None:
        self._database = database
        self._by_mail = by_mail

    def add(self, new: NewEscalation, *, pending_limit: int, request_id: str | None) -> Escalation:
        try:
            return self._add(new, pending_limit, request_id)
        except Conflict:
            return self._add(new, pending_limit, request_id)  # another one was first: it is there to find

    def claim(self, change: Change, *, lease_until: str) -> Escalation:
        def claimed(row: Row[Any], now: str) -> _Step:
            is_free = row.state == EscalationState.OPEN or (row.state == EscalationState.CLAIMED and row.lease_until <= now)
            if not is_free or row.expires_at <= now:
                raise _moved(row)
            taken = {"state": EscalationState.CLAIMED.value, "claimed_by": change.principal.subject, "lease_until": lease_until}
            return _Step(AuditAction.ESCALATION_CLAIMED, {**taken, "claimed_at": row.claimed_at or now})

        return self._change(change, claimed)

    def renew(self, change: Change, *, lease_until: str) -> Escalation:
        return self._change_mine(change, _Step(AuditAction.ESCALATION_RENEWED, {"lease_until": lease_until}))

    def release(self, change: Change) -> Escalation:
        return self._change_mine(change, _Step(AuditAction.ESCALATION_RELEASED, _OPEN))

    def reassign(self, change: Change, *, source: str, reviewers: tuple[str, ...], note: str) -> Escalation:
        values = {**_OPEN, "source": source, "is_pool": not reviewers}
        details = {"reviewers": list(reviewers)}
        return self._change_mine(change, _Step(AuditAction.ESCALATION_REASSIGNED, values, note, details=details, reviewers=reviewers))

    def decide(self, change: Change, resolution: Resolution, *, delivery: Delivery | None, verdict: JudgedAnswer | None) -> Escalation:
        is_answer = resolution.kind is not ResolutionKind.REJECTED
        cited = sorted({cited.document for sentence in resolution.sentences for cited in sentence.cites})
        outcome = None if delivery is None else delivery.value
        values = {
            **_closed(EscalationState.ANSWERED if is_answer else EscalationState.REJECTED, at=resolution.at),
            "resolution": resolution_column(change.escalation, resolution, self._secrets),
            "delivery": outcome,
        }
        details: dict[str, Detail] = {"cited": cited, "sentences": len(resolution.sentences), "delivery": outcome}
        details["draft_right"] = None if verdict is None else int(verdict.is_right)
        decided = _Step(AuditAction.ESCALATION_DECIDED, values, resolution.reason, resolution.kind.value, details)
        return self._change_mine(change, replace(decided, verdict=verdict), tells=True)

    def withdraw(self, principal: Principal, escalation: str, *, request_id: str | None) -> None:
        secrets = self._secrets
        with self._database.write() as connection:
            row, now = locked(connection, escalation), self._database.now()
            if row is None or not escalations_of(connection, [row], secrets)[0].belongs_to(principal):
                raise NotReadable("no such escalation")
            if row.state not in _PENDING:
                raise _moved(row)
            step = _Step(AuditAction.ESCALATION_WITHDRAWN, {**_closed(EscalationState.WITHDRAWN, at=now), "claimed_by": None})
            append(connection, self._write(connection, row, Change(principal, escalation, row.version, request_id), step, now), at=now)

    def delivered(self, escalation: str, delivery: Delivery, *, entry: AuditEntry) -> None:
        secrets = self._secrets
        with self._database.write() as connection:
            row, now = locked(connection, escalation), self._database.now()
            entries = [entry]
            if row is not None and row.delivery not in (delivery.value, Delivery.DELIVERED.value):
                version = row.version + 1
                line = ReviewEvent(now, entry.act_for or entry.actor, delivery.value)
                add_line(connection, escalation, version, line, secrets)
                connection.execute(
                    update(escalations).where(escalations.c.id == escalation).values(delivery=delivery.value, version=version)
                )
                if delivery is Delivery.DELIVERED:
                    keep_poll(connection, escalation, at=now)
                told = {"escalation": escalation}
                entries.append(replace(entry, action=AuditAction.ESCALATION_DELIVERED, outcome=delivery.value, documents=(), details=told))
            append(connection, *entries, at=now)

    def _add(self, new: NewEscalation, pending_limit: int, request_id: str | None) -> Escalation:
        key = self._secrets.pending_key(new)
        with self._database.write() as connection:
            row = connection.execute(select(escalations).where(escalations.c.pending_key == key)).one_or_none()
            if row is not None:
                return escalations_of(connection, [row], self._secrets)[0]
            _check_room(connection, new.asker.subject, pending_limit)
            now, id_ = self._database.now(), f"esc_{random.token_hex(16)}"
            connection.execute(insert(escalations).values(columns_of(id_, new, self._secrets, now=now)))
            assign(connection, id_, new.reviewers)
            add_line(connection, id_, 1, ReviewEvent(now, new.asker.subject, "opened"), self._secrets)
            opened = _reread(connection, id_, self._secrets)
            reasons = [reason.value for reason in new.draft.reasons]
            details: dict[str, Detail] = {"escalation": id_, "reasons": reasons, "source": new.source or None}
            details["reviewers"] = list(new.reviewers)
            actor, act_for = actors(new.asker)
            append(connection, AuditEntry(AuditAction.ESCALATION_OPENED, actor, act_for, request_id=request_id, details=details), at=now)
            return opened

    def _change_mine(self, change: Change, step: _Step, *, tells: bool = False) -> Escalation:
        """Raises Conflict when the claim is not the principal's, or has lapsed."""

        def mine(row: Row[Any], now: str) -> _Step:
            if row.state != EscalationState.CLAIMED or row.claimed_by != change.principal.subject or row.lease_until <= now:
                raise _moved(row)
            return step

        return self._change(change, mine, tells=tells)

    def _change(self, change: Change, step_of: Callable[[Row[Any], str], _Step], *, tells: bool = False) -> Escalation:
        secrets = self._secrets
        with self._database.write() as connection:
            row, now = locked(connection, change.escalation), self._database.now()
            if row is None:
                raise NotReadable("no such escalation")
            check_routed(connection, change.principal, change.escalation)
            if row.version != change.expected:
                raise _moved(row)
            entry = self._write(connection, row, change, step_of(row, now), now)
            if tells:
                tell(connection, row, by_mail=self._by_mail, at=now)
            changed = _reread(connection, change.escalation, secrets)
            append(connection, entry, at=now)
            return changed

    def _write(self, connection: Connection, row: Row[Any], change: Change, step: _Step, now: str) -> AuditEntry:
        """The next version, with its line of history. Returns what is to be recorded."""
        version = row.version + 1
        connection.execute(update(escalations).where(escalations.c.id == row.id).values(**step.values, version=version))
        what = step.action.value.rpartition(".")[2]
        add_line(connection, row.id, version, ReviewEvent(now, change.principal.subject, what, step.note), self._secrets)
        if step.reviewers is not None:
            assign(connection, row.id, step.reviewers)
        if step.verdict is not None:
            keep_verdict(connection, step.verdict)
        actor, act_for = actors(change.principal)
        details = {"escalation": row.id, **step.details}
        return AuditEntry(step.action, actor, act_for, outcome=step.outcome, request_id=change.request_id, details=details)

    @cached_property
    def _secrets(self) -> EscalationSecrets:
        """To be asked for before a transaction begins: the first time it may have to write."""
        return EscalationSecrets.of(self._database)


def _closed(state: EscalationState, *, at: str) -> dict[str, Any]:
    return {"state": state.value, "closed_at": at, "lease_until": None, "pending_key": None}


def _check_room(connection: Connection, asker: str, pending_limit: int) -> None:
    mine = (escalations.c.asker == asker, escalations.c.state.in_(_PENDING))
    if (connection.scalar(select(func.count()).select_from(escalations).where(*mine)) or 0) >= pending_limit:
        raise TooManyRequests("as many of your questions as may wait for a person do so already", retry_after_seconds=3600)


def _reread(connection: Connection, escalation: str, secrets: EscalationSecrets) -> Escalation:
    return escalations_of(connection, connection.execute(select(escalations).where(escalations.c.id == escalation)), secrets)[0]


def _moved(row: Row[Any]) -> Moved:
    """Said to those only who may see how it stands."""
    return Moved("the escalation", state=row.state, version=row.version)
