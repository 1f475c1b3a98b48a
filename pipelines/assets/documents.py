"""The asset that fetches and parses."""

import dagster as dg

from pipelines.assets.partitions import SOURCES
from pipelines.assets.previews import counts_table, quarantine_table
from pipelines.assets.source_listing import source_listing
from pipelines.assets.stage import at_work, connected
from pipelines.parsing.sandbox import ParsePool
from pipelines.parsing.version import PARSER_VERSION
from pipelines.recipe import recipe_of
from pipelines.resources import Workbench
from pipelines.stages.take_in import TakeIn


@dg.asset(partitions_def=SOURCES, group_name="ingestion", code_version=PARSER_VERSION, deps=[source_listing], kinds={"sql"})
def documents(context: dg.AssetExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[None]:
    """New and changed documents, fetched and parsed. One row is one staged document version."""
    with at_work(context, workbench, "documents") as stage, connected(stage) as connector, ParsePool(stage.settings) as parser:
        found = TakeIn(
            connector=connector,
            staging=stage.catalog.staging,
            blobs=stage.ingestion.blobs,
            parser=parser,
            run=stage.run,
            recipe=recipe_of(stage.settings),
            parser_version=PARSER_VERSION,
            progress=stage.tell,
        ).take_in()
        held = stage.catalog.staging.quarantined(stage.run.source)
        counts = {
            "unchanged": found.unchanged,
            "parsed": found.parsed,
            "reused": found.reused,
            "gone": found.gone,
            "quarantined": len(held),
        }
        shown = {"rejected in this run": counts_table("code", found.rejected), "quarantine": quarantine_table(held)}
        return stage.result(counts, **shown)
