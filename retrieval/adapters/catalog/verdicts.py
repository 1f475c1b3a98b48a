"""Verdicts on answers in the catalog."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import verdicts
from retrieval.domain.audit import AuditAction, AuditEntry, Detail
from retrieval.domain.calibration import JudgedAnswer, VerdictOrigin
from retrieval.domain.clock import stamp, unstamp


class CatalogVerdicts:
    """`Verdicts` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, verdict: JudgedAnswer) -> None:
        with self._database.write() as connection:
            keep_verdict(connection, verdict)
            said: dict[str, Detail] = {"about": verdict.about, "is_right": int(verdict.is_right), "origin": verdict.origin.value}
            append(connection, AuditEntry(AuditAction.VERDICT_GIVEN, verdict.by, details=said), at=self._database.now())

    def withdraw(self, about: str, by: str) -> None:
        with self._database.write() as connection:
            if withdraw_verdict(connection, about, by):
                append(connection, AuditEntry(AuditAction.VERDICT_WITHDRAWN, by, details={"about": about}), at=self._database.now())

    def forget(self, by: str) -> int:
        with self._database.write() as connection:
            forgotten = connection.execute(delete(verdicts).where(verdicts.c.judge == by)).rowcount
            if forgotten:
                entry = AuditEntry(AuditAction.VERDICT_WITHDRAWN, by, details={"verdicts": forgotten})
                append(connection, entry, at=self._database.now())
        return int(forgotten)

    def all(self, *, sources: frozenset[str] | None = None) -> Sequence[JudgedAnswer]:
        in_order = select(verdicts).order_by(verdicts.c.at, verdicts.c.about, verdicts.c.judge)
        with self._database.read() as connection:
            found = [_verdict(row) for row in connection.execute(in_order)]
        return [verdict for verdict in found if sources is None or (verdict.sources and sources.issuperset(verdict.sources))]


def keep_verdict(connection: Connection, verdict: JudgedAnswer) -> None:
    """In a transaction that somebody else records, in the place of what the same person had said."""
    withdraw_verdict(connection, verdict.about, verdict.by)
    connection.execute(
        insert(verdicts).values(
            about=verdict.about,
            judge=verdict.by,
            origin=verdict.origin.value,
            is_right=verdict.is_right,
            signals=json.dumps(dict(verdict.signals), sort_keys=True, allow_nan=False),
            sources=json.dumps(sorted(set(verdict.sources))),
            risk_tier=verdict.risk_tier,
            at=stamp(verdict.at),
        )
    )


def withdraw_verdict(connection: Connection, about: str, by: str) -> bool:
    """Whether there was one. In a transaction that somebody else records."""
    return bool(connection.execute(delete(verdicts).where(verdicts.c.about == about, verdicts.c.judge == by)).rowcount)


def _verdict(row: Row[Any]) -> JudgedAnswer:
    return JudgedAnswer(
        about=row.about,
        by=row.judge,
        origin=VerdictOrigin(row.origin),
        is_right=row.is_right,
        signals=json.loads(row.signals),
        sources=tuple(json.loads(row.sources)),
        risk_tier=row.risk_tier,
        at=unstamp(row.at),
    )
