"""The asset that makes documents visible, and takes back what the source no longer holds."""

import dagster as dg

from pipelines.assets.embeddings import embeddings
from pipelines.assets.partitions import SOURCES
from pipelines.assets.previews import counts_table
from pipelines.assets.stage import at_work
from pipelines.resources import Workbench
from pipelines.stages.publish import publish_run
from retrieval.domain.errors import Conflict


@dg.asset(partitions_def=SOURCES, group_name="ingestion", code_version="1", deps=[embeddings], kinds={"sql"})
def publication(context: dg.AssetExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[None]:
    """What readers see. One row is one current document version."""
    with at_work(context, workbench, "publication") as stage:
        terms = stage.contract
        if kept_back := stage.catalog.contract_verdicts.kept_back(stage.run, terms):
            raise Conflict("the contract keeps this run from publishing: " + "; ".join(kept_back))
        model, batch = stage.ingestion.embedder.model, stage.settings.publish_batch_documents
        counts = publish_run(stage.catalog.publishing, stage.run, model=model, batch=batch, progress=stage.tell)
        stage.catalog.contract_measures.keep(stage.run, terms, model)
        status = stage.catalog.sources.status(stage.run.source)
        shown = {
            "dagster/row_count": sum(status.formats.values()),
            "readable documents": status.readable,
            "revision": counts.revision,
            "formats": counts_table("format", status.formats),
            "API": dg.MetadataValue.url(f"http://{stage.settings.host}:{stage.settings.port}/docs"),
        }
        changed = {"published": counts.published, "withdrawn": counts.withdrawn, "passages": counts.passages, "waiting": counts.waiting}
        return stage.result(changed, **shown)
