"""The asset that cuts documents into passages."""

import dagster as dg

from pipelines.assets.documents import documents
from pipelines.assets.partitions import SOURCES
from pipelines.assets.stage import at_work
from pipelines.resources import Workbench
from pipelines.stages.chunk import CHUNKER_VERSION
from pipelines.stages.passages import cut_passages


@dg.asset(partitions_def=SOURCES, group_name="ingestion", code_version=CHUNKER_VERSION, deps=[documents], kinds={"sql"})
def passages(context: dg.AssetExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[None]:
    """Staged document versions, cut by structure. One row is one passage."""
    with at_work(context, workbench, "passages") as stage:
        cut = cut_passages(
            stage.catalog.staging,
            stage.run,
            count_tokens=lambda texts: stage.ingestion.embedder.count_tokens(texts),  # noqa: PLW0108 - loads the model only when asked
            max_tokens=stage.settings.chunk_max_tokens,
            overlap_tokens=stage.settings.chunk_overlap_tokens,
            progress=stage.tell,
        )
        counts = {"versions_cut": cut.versions, "passages_cut": cut.passages, "tokens": cut.tokens}
        return stage.result(counts, **{"dagster/row_count": cut.passages})
