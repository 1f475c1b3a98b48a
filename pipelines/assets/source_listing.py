"""The asset that lists a source."""

import dagster as dg

from pipelines.assets.partitions import SOURCES
from pipelines.assets.previews import Unreadable
from pipelines.assets.source_registration import REGISTRATION_KEY
from pipelines.assets.stage import at_work, connected
from pipelines.resources import Workbench
from pipelines.stages.listing import record_listing


@dg.asset(partitions_def=SOURCES, group_name="ingestion", code_version="1", deps=[REGISTRATION_KEY], kinds={"sql"})
def source_listing(context: dg.AssetExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[None]:
    """Everything a source holds, with its readers. One row is one source file."""
    unreadable = Unreadable()
    with at_work(context, workbench, "listing", starts=True) as stage, connected(stage) as connector:
        counts = record_listing(
            unreadable.watch(connector.list()),
            stage.catalog.listing,
            stage.run,
            max_files=stage.settings.source_max_files,
            progress=stage.tell,
        )
        return stage.result(counts, **{"dagster/row_count": counts.listed, "documents nobody reads": unreadable.table})
