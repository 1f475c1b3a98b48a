"""Data contracts of a source as asset checks. They warn; nothing is blocked by them."""

import warnings
from collections.abc import Callable

import dagster as dg
from dagster_shared.utils.warnings import PreviewWarning

from pipelines.assets.documents import documents
from pipelines.assets.partitions import SOURCES
from pipelines.assets.passage_index import passage_index
from pipelines.assets.previews import quarantine_table
from pipelines.assets.source_listing import source_listing
from pipelines.resources import Workbench
from pipelines.stages.index import report_on


def _check(asset: dg.AssetsDefinition) -> Callable[[Callable[..., dg.AssetCheckResult]], dg.AssetChecksDefinition]:
    """A check of one source. That checks can be partitioned is a preview in Dagster 1.13: it works, and warns that it may change."""

    def of(check: Callable[..., dg.AssetCheckResult]) -> dg.AssetChecksDefinition:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PreviewWarning)
            return dg.asset_check(asset=asset, partitions_def=SOURCES)(check)

    return of


@_check(source_listing)
def everyone_has_a_reader(context: dg.AssetCheckExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.AssetCheckResult:
    """Every document of the source can be read by somebody. One without a permission can be read by nobody."""
    status = workbench.catalog.sources.status(context.partition_key)
    return dg.AssetCheckResult(
        passed=status.nobody_reads == 0,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{status.nobody_reads} of {status.documents} documents can be read by nobody",
        metadata={"nobody_reads": status.nobody_reads, "documents": status.documents},
    )


@_check(documents)
def quarantine(context: dg.AssetCheckExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.AssetCheckResult:
    """Every document of the source could be taken in."""
    held = workbench.catalog.staging.quarantined(context.partition_key)
    return dg.AssetCheckResult(
        passed=not held,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(held)} documents could not be taken in",
        metadata={"quarantined": len(held), "quarantine": quarantine_table(held)},
    )


@_check(passage_index)
def index_is_current(context: dg.AssetCheckExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.AssetCheckResult:
    """Readers can search what is published."""
    revision = workbench.catalog.revision()
    if workbench.settings.index_backend == "server":
        applied = workbench.ingestion.server_index.applied_revision()
        passed, found = applied >= revision, f"the index shows revision {applied} of {revision}"
    else:
        report = report_on(workbench.catalog.index_state, revision)
        passed, found = report.is_current, str(report)
    return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, description=found, metadata={"revision": revision})


CHECKS = [everyone_has_a_reader, quarantine, index_is_current]
