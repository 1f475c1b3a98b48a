"""How all sources stand, in one table. Freshness of partitions is not what Dagster's freshness policies look at: theirs are of assets."""

from collections.abc import Sequence
from datetime import datetime

import dagster as dg
from croniter import croniter

from pipelines.assets.previews import table
from pipelines.resources import Workbench
from retrieval.domain.contract_rules import judge_freshness
from retrieval.domain.contracts import Rule
from retrieval.domain.errors import ArchivistError
from retrieval.domain.freshness import FreshnessState
from retrieval.domain.sources import SourceState
from retrieval.ports.health import SourceHealth

MAX_SHOWN = 500
"""Rows of the table; those that need somebody come first."""
_COLUMNS = (
    *("source", "title", "owner", "state", "freshness", "last success", "age in hours", "objective in hours", "documents", "quarantined"),
    *("broken rules", "next run"),
)
_MOST_PRESSING = (FreshnessState.FAILING, FreshnessState.LATE, FreshnessState.FRESH)


@dg.asset(group_name="sources", code_version="1", kinds={"sql"})
def source_health(workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[None]:
    """Every source with its last success, age, counts and broken rules. One row is one source."""
    catalog = workbench.catalog
    try:
        for source in filter(_has_turned, catalog.health.of()):
            spec = catalog.sources.get(source.source).spec
            verdict = judge_freshness(spec.contract, source.age_hours)
            catalog.contract_verdicts.record(source.source, spec.contract, [verdict], run=None, owner=spec.owner)
        sources = catalog.health.of()
    except ArchivistError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    counts = {state.value: sum(1 for source in sources if source.freshness.state is state) for state in FreshnessState}
    return dg.MaterializeResult(
        metadata={"dagster/row_count": len(sources), **counts, "sources": health_table(sources, catalog.database.clock.now())}
    )


def _has_turned(source: SourceHealth) -> bool:
    """Whether it has become late, or is no longer: nothing else has to be written."""
    was_late = Rule.FRESHNESS in {broken.rule for broken in source.broken}
    return source.state is SourceState.ACTIVE and source.freshness.is_late != was_late


def health_table(sources: Sequence[SourceHealth], now: datetime) -> dg.TableMetadataValue:
    """The most pressing first. Names, counts and times of sources; nothing of their documents."""
    pressing = sorted(sources, key=lambda source: (_MOST_PRESSING.index(source.freshness.state), source.source))
    return table(_COLUMNS, [_row(source, now) for source in pressing], most=MAX_SHOWN)


def _row(source: SourceHealth, now: datetime) -> tuple[str | int, ...]:
    return (
        *(source.source, source.title, source.owner, source.state.value, source.freshness.state.value),
        source.freshness.last_success_at or "never",
        "" if source.age_hours is None else f"{source.age_hours:.1f}",
        str(source.freshness.objective_hours or ""),
        *(source.documents, source.quarantined),
        ", ".join(rule.rule.value for rule in source.broken),
        next_run(source, now),
    )


def next_run(source: SourceHealth, now: datetime) -> str:
    """ISO 8601 in UTC; empty for a source that runs on demand only, or not at all."""
    if source.state is not SourceState.ACTIVE or not source.schedule or not croniter.is_valid(source.schedule):
        return ""
    return f"{croniter(source.schedule, now).get_next(datetime):%Y-%m-%dT%H:%MZ}"
