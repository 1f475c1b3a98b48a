"""The asset that embeds."""

from typing import Any

import dagster as dg

from pipelines.assets.partitions import SOURCES
from pipelines.assets.passages import passages
from pipelines.assets.stage import Stage, at_work
from pipelines.resources import Workbench
from pipelines.stages.embed import embed_missing
from retrieval.domain.errors import ModelMismatch, ModelUnavailable

EMBEDDER_POOL = "embedder"
"""Whatever embeds in bulk: so that no more of it runs at once than Dagster's settings let."""


@dg.asset(partitions_def=SOURCES, group_name="ingestion", code_version="2", deps=[passages], kinds={"huggingface"}, pool=EMBEDDER_POOL)
def embeddings(context: dg.AssetExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[None]:
    """Vectors of texts that had none by the live model, and of their single tokens; by one that is prepared too. One row is one text."""
    with at_work(context, workbench, "embeddings") as stage:
        embedder = stage.ingestion.embedder
        window = stage.settings.embed_window_passages
        tokens = stage.catalog.token_vectors if stage.settings.rerank_tokens else None
        done = embed_missing(stage.catalog.embeddings, embedder, stage.run.source, tokens=tokens, window=window, progress=stage.tell)
        shown: dict[str, Any] = {
            "dagster/row_count": done,
            "model": embedder.model,
            "texts per second": round(done / max(stage.seconds, 0.001), 1),
        }
        shown |= {f"beside, by {other}": count for other, count in _beside(context, stage).items()}
        return stage.result({"embedded": done}, **shown)


def _beside(context: dg.AssetExecutionContext, stage: Stage) -> dict[str, int | str]:
    """What is new, by the models that may become live. What fails here holds nothing up: it is caught up before one does."""
    done: dict[str, int | str] = {}
    for model in stage.ingestion.models_beside:
        try:
            embedder, window = stage.ingestion.by(model), stage.settings.embed_window_passages
            done[model.id] = embed_missing(stage.catalog.embeddings, embedder, stage.run.source, window=window)
        except (ModelMismatch, ModelUnavailable) as error:
            context.log.warning("not embedded by %s, which is not live: %s", model.id, error)
            done[model.id] = "nothing"
    return done
