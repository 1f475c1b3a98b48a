"""Recalls in the catalog: withdrawn, held back, retired, opened again and told, in one transaction with its audit records."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.escalations.rows import EscalationSecrets
from retrieval.adapters.catalog.learning import curated_rows
from retrieval.adapters.catalog.learning.curated import record_change
from retrieval.adapters.catalog.lineage.notices import notify
from retrieval.adapters.catalog.lineage.reach import Reach, reach_of, source_of
from retrieval.adapters.catalog.lineage.reopening import Deadlines, reopen
from retrieval.adapters.catalog.lineage.showings import cut, showings_of
from retrieval.adapters.catalog.publishing import withdraw
from retrieval.adapters.catalog.sealing import opened, sealed
from retrieval.adapters.catalog.tables import recalled_versions, recalls, sources
from retrieval.adapters.catalog.versions import holds
from retrieval.domain.audit import AuditAction, AuditEntry
from retrieval.domain.clock import stamp
from retrieval.domain.curated import CuratedAnswer, CuratedState
from retrieval.domain.errors import CatalogUnavailable, NotReadable
from retrieval.domain.lineage import Showing
from retrieval.domain.recalls import Recall, RecallCounts, RecallKind, RecallRequest, recall_id
from retrieval.domain.sources import SourceState

ABSENT = "there is no such recall"


@dataclass(frozen=True)
class ReviewHours:
    """Hours from a recall until a question that it opens again should be decided, and days until it expires."""

    due: float
    expires_days: float


class CatalogRecalls:
    """`Recalls` over the catalog."""

    def __init__(self, database: Database, *, hours: ReviewHours) -> None:
        self._database = database
        self._hours = hours

    def source(self, request: RecallRequest) -> str:
        with self._database.read() as connection:
            return source_of(connection, request)

    def plan(self, request: RecallRequest) -> RecallCounts:
        secrets = self._secrets
        with self._database.read() as connection:
            return reach_of(connection, request, secrets).counts

    def make(self, request: RecallRequest, *, by: str, request_id: str | None = None) -> Recall:
        secrets, key = self._secrets, self._reason_key
        with self._database.write() as connection:
            reach = reach_of(connection, request, secrets)
            before = None if reach.withdrawn else self._made_before(connection, request, reach)
            if before is not None:
                return before
            now = self._database.now()
            made = Recall(recall_id(request.kind, request.about, now), request.kind, request.about, request.reason, now, by, reach.counts)
            _keep(connection, made, reach, sealed(request.reason, key, bound_to=made.id.encode()))
            reopen(connection, reach.reviews, self._deadlines(), secrets, at=now)
            retired = _retire(connection, reach.curated)
            notify(connection, made.id, reach.notices, at=now)
            _take_back(connection, made, reach, request_id)
            for answer in retired:
                record_change(connection, AuditAction.CURATED_CHANGED, answer, by=by, what="retired", at=now)
            details = {"recall": made.id, made.kind.value: made.about, **asdict(made.counts)}
            append(connection, AuditEntry(AuditAction.RECALL_MADE, by, request_id=request_id, details=details), at=now)
            return made

    def get(self, recall: str) -> Recall:
        key = self._reason_key
        with self._database.read() as connection:
            return _recall(_row(connection, recall), key)

    def showings(self, recall: str, *, before: int | None, limit: int) -> Sequence[Showing]:
        mine = recalled_versions.c.recall == recall
        with self._database.read() as connection:
            _row(connection, recall)
            versions = frozenset(connection.scalars(select(recalled_versions.c.version).where(mine)))
            found = showings_of(connection, select(recalled_versions.c.document).where(mine), versions, before=before)
            return cut(found, limit=limit)[0]

    def _made_before(self, connection: Connection, request: RecallRequest, reach: Reach) -> Recall | None:
        """The last recall of the same thing, if it was about all that this one would be about."""
        same = select(recalls).where(recalls.c.kind == request.kind.value, recalls.c.about == request.about)
        row = connection.execute(same.order_by(recalls.c.made_at.desc()).limit(1)).one_or_none()
        if row is None:
            return None
        known = set(connection.scalars(select(recalled_versions.c.version).where(recalled_versions.c.recall == row.id)))
        return _recall(row, self._reason_key) if known >= {version.id for version in reach.versions} else None

    def _deadlines(self) -> Deadlines:
        now = self._database.clock.now()
        return Deadlines(stamp(now + timedelta(hours=self._hours.due)), stamp(now + timedelta(days=self._hours.expires_days)))

    @cached_property
    def _secrets(self) -> EscalationSecrets:
        return EscalationSecrets.of(self._database)

    @cached_property
    def _reason_key(self) -> bytes:
        return self._database.secret("recall reasons")


def _keep(connection: Connection, made: Recall, reach: Reach, reason: str) -> None:
    kept = {"id": made.id, "kind": made.kind.value, "about": made.about, "reason": reason, "made_at": made.made_at, "made_by": made.made_by}
    connection.execute(insert(recalls).values(**kept, counts=json.dumps(asdict(made.counts))))
    rows = [{"recall": made.id, "version": each.id, "document": each.document, "source": each.source} for each in reach.versions]
    if rows:
        connection.execute(insert(recalled_versions), rows)


def _retire(connection: Connection, curated: Sequence[CuratedAnswer]) -> list[CuratedAnswer]:
    retired = [replace(answer, state=CuratedState.RETIRED, number=answer.number + 1) for answer in curated]
    for answer in retired:
        curated_rows.replace(connection, answer)
    return retired


def _take_back(connection: Connection, made: Recall, reach: Reach, request_id: str | None) -> None:
    """From readers, and from the runs that would publish it again. A source is paused and whatever works on it is fenced out."""
    if made.kind is RecallKind.SOURCE:
        paused = {"state": SourceState.PAUSED.value, "run_token": sources.c.run_token + 1}
        connection.execute(update(sources).where(sources.c.id == made.about, sources.c.state == SourceState.ACTIVE.value).values(**paused))
    if not reach.withdrawn:
        return
    entry = AuditEntry(AuditAction.DOCUMENTS_WITHDRAWN, made.made_by, request_id=request_id, details={"recall": made.id})
    withdraw(connection, [document.id for document in reach.withdrawn], entry, at=made.made_at)
    holds.hold(connection, [(each.id, each.content_hash) for each in reach.withdrawn], by=made.made_by, at=made.made_at)


def _row(connection: Connection, recall: str) -> Row[Any]:
    row = connection.execute(select(recalls).where(recalls.c.id == recall)).one_or_none()
    if row is None:
        raise NotReadable(ABSENT)
    return row


def _recall(row: Row[Any], key: bytes) -> Recall:
    reason = opened(row.reason, key, bound_to=row.id.encode())
    if reason is None:
        raise CatalogUnavailable("why it was recalled cannot be decrypted any more")
    return Recall(row.id, RecallKind(row.kind), row.about, reason, row.made_at, row.made_by, RecallCounts(**json.loads(row.counts)))
