"""The asset that embeds."""

import dagster as dg

from pipelines.assets.partitions import SOURCES
from pipelines.assets.passages import passages
from pipelines.assets.stage import at_work
from pipelines.resources import Workbench
from pipelines.stages.embed import embed_missing


@dg.asset(partitions_def=SOURCES, group_name="ingestion", code_version="2", deps=[passages], kinds={"huggingface"})
def embeddings(context: dg.AssetExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[None]:
    """Vectors of texts that had none under this model, and of their single tokens. One row is one text."""
    with at_work(context, workbench, "embeddings") as stage:
        embedder = stage.ingestion.embedder
        window = stage.settings.embed_window_passages
        tokens = stage.catalog.token_vectors if stage.settings.rerank_tokens else None
        done = embed_missing(stage.catalog.embeddings, embedder, stage.run.source, tokens=tokens, window=window, progress=stage.tell)
        shown = {"dagster/row_count": done, "model": embedder.model, "texts per second": round(done / max(stage.seconds, 0.001), 1)}
        return stage.result({"embedded": done}, **shown)
