"""The asset that prepares another embedding model, and the check that says whether it may become live."""

import time

import dagster as dg

from pipelines.assets.embeddings import EMBEDDER_POOL
from pipelines.assets.previews import table
from pipelines.resources import Workbench
from pipelines.stages.backfill import BackfillStep, Stores, backfill
from pipelines.stages.index import have_index_follow
from pipelines.who import who
from retrieval.domain.embedding_models import Judgement
from retrieval.domain.errors import ArchivistError
from retrieval.evaluation.model_comparison import compare

TOLD_SECONDS = 5.0
"""Least time between two entries of progress."""


@dg.asset(group_name="models", code_version="1", config_schema={"model": dg.String}, pool=EMBEDDER_POOL, kinds={"huggingface"})
def model_vectors(context: dg.AssetExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[None]:
    """Vectors of every text by a model that may become live, beside those of the one that is. One row is one text."""
    ingestion, settings, started = workbench.ingestion, workbench.settings, time.monotonic()
    told = -TOLD_SECONDS

    def tell(step: BackfillStep) -> None:
        nonlocal told
        if time.monotonic() - told >= TOLD_SECONDS:
            told = time.monotonic()
            context.log_event(dg.AssetObservation(context.asset_key, metadata=_progress(step)))

    try:
        model = ingestion.catalog.embedding_models.get(context.op_execution_context.op_config["model"])
        tokens = ingestion.catalog.token_vectors if settings.rerank_tokens else None
        stores = Stores(ingestion.catalog.embedding_models, ingestion.catalog.embeddings, tokens)
        ready, embedded = backfill(stores, ingestion.by(model), by=who(context), window=settings.embed_window_passages, tell=tell)
        have_index_follow(ingestion)
        progress = ingestion.catalog.embedding_models.progress(ready.id)
    except ArchivistError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    seconds = time.monotonic() - started
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(source.embedded for source in progress),
            "model": ready.id,
            "state": ready.state.value,
            "dimensions": ready.dimensions,
            "embedded": embedded,
            "seconds": round(seconds, 2),
            "texts per second": round(embedded / max(seconds, 0.001), 1),
            "sources": table(("source", "embedded", "texts"), [(source.source, source.embedded, source.texts) for source in progress]),
        }
    )


@dg.asset_check(asset=model_vectors, config_schema={"model": dg.String})
def model_is_as_good(context: dg.AssetCheckExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.AssetCheckResult:
    """Golden questions are answered as well by it as by the live model, about as fast. Without this nobody can promote it unforced."""
    id_ = context.op_execution_context.op_config["model"]
    try:
        ingestion = workbench.ingestion
        judgement = compare(
            workbench.settings, id_, by=who(context.op_execution_context), load=lambda _settings, model: ingestion.by(model)
        )
    except ArchivistError as error:
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.ERROR, description=f"It could not be compared: {error}")
    return dg.AssetCheckResult(
        passed=judgement.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description="; ".join(judgement.problems) or f"as good as {judgement.against} on {judgement.questions} questions",
        metadata={"model": id_, "questions": judgement.questions, "figures": _figures(judgement)},
    )


def _progress(step: BackfillStep) -> dict[str, str | int | float]:
    return {
        "source": step.source,
        "embedded": step.embedded,
        "left": step.left,
        "texts per second": round(step.per_second, 1),
        "seconds left": round(step.seconds_left),
    }


def _figures(judgement: Judgement) -> dg.TableMetadataValue:
    live, other = judgement.live, judgement.candidate
    rows = [
        ("nDCG@10", f"{live.ndcg_at_10:.4f}", f"{other.ndcg_at_10:.4f}"),
        ("milliseconds of a query", f"{live.milliseconds:.1f}", f"{other.milliseconds:.1f}"),
        ("seconds for 1,000 passages", f"{live.seconds_per_1000_passages:.2f}", f"{other.seconds_per_1000_passages:.2f}"),
        ("dimensions", str(live.dimensions), str(other.dimensions)),
        ("bytes of a vector", str(live.bytes_per_vector), str(other.bytes_per_vector)),
    ]
    return table(("figure", "live", "candidate"), rows)
