"""Whether any source needs somebody. Of the rollup, so that one look tells."""

from collections.abc import Sequence

import dagster as dg

from pipelines.assets.previews import table
from pipelines.assets.source_health import source_health
from pipelines.resources import Workbench
from retrieval.ports.health import SourceHealth


@dg.asset_check(asset=source_health)
def sources_are_fresh(workbench: dg.ResourceParam[Workbench]) -> dg.AssetCheckResult:
    """Every source was read successfully within the time that its owner promises."""
    late = [source for source in workbench.catalog.health.of() if source.freshness.is_late]
    return _result(late, f"{len(late)} sources are later than promised")


@dg.asset_check(asset=source_health)
def contracts_hold(workbench: dg.ResourceParam[Workbench]) -> dg.AssetCheckResult:
    """No source breaks a rule that keeps new content back."""
    broken = [source for source in workbench.catalog.health.of() if any(rule.blocks for rule in source.broken)]
    return _result(broken, f"{len(broken)} sources break their contracts; what they published before stays")


def _result(found: Sequence[SourceHealth], said: str) -> dg.AssetCheckResult:
    rows = [(source.source, source.owner, ", ".join(rule.rule.value for rule in source.broken)) for source in found]
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=said,
        metadata={"sources": len(found), "which": table(("source", "owner", "broken rules"), rows)},
    )


HEALTH_CHECKS = [sources_are_fresh, contracts_hold]
