"""How sources stand, in a few reads however many they are."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import contract_verdicts, document_versions, documents, quarantine, sources
from retrieval.domain.clock import unstamp
from retrieval.domain.contracts import Rule
from retrieval.domain.documents import VersionState
from retrieval.domain.freshness import SourceFreshness
from retrieval.domain.sources import SourceState
from retrieval.ports.health import BrokenRule, SourceHealth


class CatalogHealth:
    """`HealthReader` and `FreshnessReader` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, sources: Sequence[str] | None = None) -> tuple[SourceHealth, ...]:
        with self._database.read() as connection:
            rows = connection.execute(_sources(sources)).all()
            current = _counts(connection, _CURRENT)
            held = _counts(connection, _HELD)
            broken: dict[str, list[BrokenRule]] = defaultdict(list)
            for row in connection.execute(_BROKEN):
                broken[row.source].append(BrokenRule(Rule(row.rule), row.blocks, row.found, row.since))
        return tuple(self._health(row, current.get(row.id, 0), held.get(row.id, 0), broken[row.id]) for row in rows)

    def freshness(self, sources: Sequence[str]) -> Mapping[str, SourceFreshness]:
        if not sources:
            return {}
        with self._database.read() as connection:
            rows = connection.execute(_FRESHNESS, {"sources": sorted(set(sources))}).all()
        return {row.id: self._freshness(row, is_failing=bool(row.failing)) for row in rows}

    def _freshness(self, row: Row[Any], *, is_failing: bool) -> SourceFreshness:
        promised = int(json.loads(row.spec).get("contract", {}).get("freshness_hours", 0))
        return SourceFreshness.of(
            row.id,
            last_success_at=row.last_success_at,
            objective_hours=promised,
            is_failing=is_failing,
            now=self._database.clock.now(),
        )

    def _health(self, row: Row[Any], current: int, held: int, broken: Sequence[BrokenRule]) -> SourceHealth:
        spec = json.loads(row.spec)
        age = None if row.last_success_at is None else (self._database.clock.now() - unstamp(row.last_success_at)).total_seconds() / 3600
        return SourceHealth(
            source=row.id,
            title=str(spec["title"]),
            owner=str(spec["owner"]),
            state=SourceState(row.state),
            schedule=str(spec.get("schedule") or ""),
            freshness=self._freshness(row, is_failing=any(rule.blocks for rule in broken)),
            age_hours=age,
            documents=current,
            quarantined=held,
            broken=tuple(broken),
        )


def _sources(wanted: Sequence[str] | None) -> Select[Any]:
    found = select(sources.c.id, sources.c.spec, sources.c.state, sources.c.last_success_at).order_by(sources.c.id)
    return found.where(sources.c.state != SourceState.RETIRED.value) if wanted is None else found.where(sources.c.id.in_(wanted))


def _counts(connection: Connection, counted: Select[Any]) -> dict[str, int]:
    return {row[0]: int(row[1]) for row in connection.execute(counted)}


_CURRENT = (
    select(document_versions.c.source, func.count())
    .where(document_versions.c.state == VersionState.CURRENT.value)
    .group_by(document_versions.c.source)
)
_HELD = (
    select(documents.c.source, func.count())
    .join(quarantine, quarantine.c.document == documents.c.id)
    .where(documents.c.listed_run.is_not(None))
    .group_by(documents.c.source)
)
_BROKEN = (
    select(contract_verdicts).where(contract_verdicts.c.passed.is_(False)).order_by(contract_verdicts.c.source, contract_verdicts.c.rule)
)
_FRESHNESS = select(
    sources.c.id,
    sources.c.spec,
    sources.c.last_success_at,
    select(contract_verdicts.c.rule)
    .where(contract_verdicts.c.source == sources.c.id, contract_verdicts.c.passed.is_(False), contract_verdicts.c.blocks.is_(True))
    .exists()
    .label("failing"),
).where(sources.c.id.in_(bindparam("sources", expanding=True)))
