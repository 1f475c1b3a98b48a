"""Reading escalations: one's own, and those that one may review."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, or_, select

from retrieval.adapters.catalog.acting import acting_subjects, is_active
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.escalations.rows import EscalationSecrets, escalations_of, written_reasons
from retrieval.adapters.catalog.tables import document_versions, escalation_events, escalation_reviewers, escalations, passages, sources
from retrieval.domain.documents import VersionState
from retrieval.domain.errors import NotReadable
from retrieval.domain.escalations import PENDING, Escalation, EscalationState
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import QueueFilter, ReviewEvent
from retrieval.ports.reviewing import PassagePlace

_PENDING = sorted(PENDING)
_DECIDED = (EscalationState.ANSWERED.value, EscalationState.REJECTED.value)
_PLACES = (
    select(passages.c.id, passages.c.version, passages.c.span_start, passages.c.span_end, document_versions.c.document)
    .add_columns(document_versions.c.source)
    .join(document_versions, document_versions.c.id == passages.c.version)
    .where(passages.c.id.in_(bindparam("ids", expanding=True)), document_versions.c.state == VersionState.CURRENT.value)
)


class CatalogEscalations:
    """`EscalationReader` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, escalation: str) -> Escalation:
        return self._one(select(escalations).where(escalations.c.id == escalation))

    def of_asker(self, principal: Principal, *, after: str, count: int) -> list[Escalation]:
        mine = select(escalations).where(escalations.c.asker == principal.subject)
        if principal.through is not None:
            mine = mine.where(escalations.c.through == principal.through.subject)
        at, _, id_ = after.partition("|")
        if after:
            mine = mine.where(or_(escalations.c.created_at < at, and_(escalations.c.created_at == at, escalations.c.id > id_)))
        return self._many(mine.order_by(escalations.c.created_at.desc(), escalations.c.id).limit(count))

    def routed(self, principal: Principal, wanted: QueueFilter, *, after: str, count: int) -> list[Escalation]:
        at, _, id_ = after.partition("|")
        page = _wanted(routed_to(principal), principal, wanted, now=self._database.now())
        if after:
            page = page.where(or_(escalations.c.due_at > at, and_(escalations.c.due_at == at, escalations.c.id > id_)))
        return self._many(page.order_by(escalations.c.due_at, escalations.c.id).limit(count), for_=principal)

    def routed_since(self, principal: Principal, moment: str, *, count: int) -> list[Escalation]:
        since = routed_to(principal).where(escalations.c.created_at >= moment)
        return self._many(since.order_by(escalations.c.created_at.desc(), escalations.c.id).limit(count), for_=principal)

    def for_review(self, principal: Principal, escalation: str) -> Escalation:
        with self._database.read() as connection:
            check_routed(connection, principal, escalation)
            row = connection.execute(select(escalations).where(escalations.c.id == escalation))
            return escalations_of(connection, row, self._secrets)[0]

    def history(self, escalation: str) -> list[ReviewEvent]:
        lines = select(escalation_events).where(escalation_events.c.escalation == escalation).order_by(escalation_events.c.version)
        with self._database.read() as connection:
            rows = connection.execute(lines).all()
        return [ReviewEvent(row.at, row.by, row.what, row.note and self._secrets.opened(row.note, escalation)) for row in rows]

    def places(self, wanted: Sequence[str]) -> Mapping[str, PassagePlace]:
        with self._database.read() as connection:
            rows = connection.execute(_PLACES, {"ids": list(wanted)}).all() if wanted else []
        return {row.id: PassagePlace(row.id, row.document, row.version, row.source, row.span_start, row.span_end) for row in rows}

    def owner(self, source: str) -> str | None:
        with self._database.read() as connection:
            return owner_of(connection, source)

    def decided(self, *, after: str, count: int) -> list[Escalation]:
        at, _, id_ = after.partition("|")
        following = select(escalations).where(escalations.c.state.in_(_DECIDED))
        if after:
            following = following.where(or_(escalations.c.closed_at > at, and_(escalations.c.closed_at == at, escalations.c.id > id_)))
        return self._many(following.order_by(escalations.c.closed_at, escalations.c.id).limit(count))

    def _one(self, statement: Select[Any]) -> Escalation:
        """Raises NotReadable when there is none."""
        listed = self._many(statement)
        if not listed:
            raise NotReadable("no such escalation")
        return listed[0]

    def _many(self, statement: Select[Any], *, for_: Principal | None = None) -> list[Escalation]:
        """None at all for a principal that is deactivated."""
        with self._database.read() as connection:
            if for_ is not None and not is_active(connection, for_):
                return []
            return escalations_of(connection, connection.execute(statement), self._secrets)

    @cached_property
    def _secrets(self) -> EscalationSecrets:
        return EscalationSecrets.of(self._database)


def routed_to(principal: Principal) -> Select[Any]:
    """Those assigned to the principal, to a group that it is in or to every reviewer, without its own; whether it is active or not."""
    assigned = select(escalation_reviewers.c.escalation).where(escalation_reviewers.c.subject.in_(acting_subjects(principal)))
    theirs = select(escalations).where(or_(escalations.c.is_pool, escalations.c.id.in_(assigned)))
    others = theirs.where(
        escalations.c.asker != principal.subject, or_(escalations.c.through.is_(None), escalations.c.through != principal.subject)
    )
    return others if principal.through is None else others.where(escalations.c.asker != principal.through.subject)


def check_routed(connection: Connection, principal: Principal, escalation: str) -> None:
    """Raises NotReadable when the principal may not review it, or when there is none."""
    routed = routed_to(principal).with_only_columns(escalations.c.id).where(escalations.c.id == escalation)
    if not is_active(connection, principal) or connection.execute(routed).first() is None:
        raise NotReadable("no such escalation")


def owner_of(connection: Connection, source: str) -> str | None:
    spec = connection.scalar(select(sources.c.spec).where(sources.c.id == source))
    return None if spec is None else str(json.loads(spec)["owner"])


def _wanted(page: Select[Any], principal: Principal, wanted: QueueFilter, *, now: str) -> Select[Any]:
    if wanted.state is not None:
        page = page.where(escalations.c.state == wanted.state.value)
    if wanted.source is not None:
        page = page.where(escalations.c.source == wanted.source)
    if wanted.reason is not None:
        page = page.where(escalations.c.reasons.contains(written_reasons([wanted.reason]), autoescape=True))
    if wanted.overdue:
        page = page.where(escalations.c.state.in_(_PENDING), escalations.c.due_at <= now)
    if wanted.mine:
        page = page.where(escalations.c.claimed_by == principal.subject)
    return page
