"""The asset that sees to it that the index shows what was published."""

from typing import Any

import dagster as dg

from pipelines.assets.knowledge_graph import knowledge_graph
from pipelines.assets.partitions import SOURCES
from pipelines.assets.previews import table
from pipelines.assets.publication import publication
from pipelines.assets.stage import at_work
from pipelines.resources import Workbench
from pipelines.stages.index import IndexReport, apply_changes, await_followers


@dg.asset(partitions_def=SOURCES, group_name="ingestion", code_version="1", deps=[publication, knowledge_graph], kinds={"qdrant"})
def passage_index(context: dg.AssetExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[None]:
    """What can be searched: a cache of the catalog. One row is one passage."""
    with at_work(context, workbench, "index") as stage:
        revision = stage.catalog.revision()
        if stage.settings.index_backend == "server":
            shown: dict[str, Any] = {
                "applied revision": apply_changes(stage.ingestion.feed, workbench.ingestion.server_index, stage.settings)
            }
        else:
            registry, seconds = stage.catalog.index_state, stage.settings.index_wait_seconds
            shown = _shown(await_followers(registry, revision, seconds=seconds, progress=stage.tell))
        stage.succeed()
        return stage.result({}, revision=revision, **shown)


def _shown(report: IndexReport) -> dict[str, Any]:
    rows = [(f.name, f.state, f.applied_revision, f.passages) for f in report.followers]
    return {
        "index": dg.MetadataValue.text(str(report)),
        "delay in seconds": dg.MetadataValue.float(round(report.waited_seconds, 2)),
        "readers": table(("reader", "state", "revision", "passages"), rows),
    }
