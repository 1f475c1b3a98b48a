"""Make a registered embedding model ready, and compare it with the live one: `python -m pipelines.prepare_model MODEL`.

The same as the job `model_backfill` in the Dagster UI. It may be stopped and run again: what is embedded stays.
"""

import argparse
from collections.abc import Sequence

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.console import console, error_lines, log_to_stderr
from pipelines.resources import Workbench
from pipelines.stages.backfill import BackfillStep, Stores, backfill
from pipelines.stages.index import have_index_follow
from retrieval.domain.errors import ArchivistError
from retrieval.domain.permissions import check_subject
from retrieval.evaluation.model_comparison import compare
from retrieval.settings import Settings


def main(arguments: Sequence[str] | None = None, *, workbench: Workbench | None = None) -> int:
    """Returns 0 when the model is ready and as good as the live one, 1 when something is wrong, 2 when it is ready and worse."""
    options = _parser().parse_args(arguments)
    bench = workbench or Workbench(Settings())
    log_to_stderr()
    try:
        check_subject(options.by, field="--by")
        _prepare(bench, options.model, by=options.by)
        judgement = compare(bench.settings, options.model, by=options.by, load=lambda _settings, model: bench.ingestion.by(model))
    except ArchivistError as error:
        for line in error_lines(error):
            console().print(line, style="red", markup=False, soft_wrap=True)
        return 1
    finally:
        bench.close()
    for line in judgement.problems or (f"as good as {judgement.against} on {judgement.questions} questions",):
        console().print(line, markup=False, soft_wrap=True)
    return 0 if judgement.passed else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines.prepare_model", description=__doc__)
    parser.add_argument("model", metavar="MODEL", help="the model's id")
    parser.add_argument("--by", default="app:cli", metavar="SUBJECT", help="who decides, e.g. user:dana (default: app:cli)")
    return parser


def _prepare(bench: Workbench, model: str, *, by: str) -> None:
    ingestion, settings = bench.ingestion, bench.settings
    catalog = ingestion.catalog
    stores = Stores(catalog.embedding_models, catalog.embeddings, catalog.token_vectors if settings.rerank_tokens else None)
    embedder = ingestion.by(catalog.embedding_models.get(model))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console()) as shown:
        bar = shown.add_task("embedding", total=None)

        def tell(step: BackfillStep) -> None:
            shown.update(bar, description=f"embedding {step.source}", completed=step.embedded, total=step.embedded + step.left)

        backfill(stores, embedder, by=by, window=settings.embed_window_passages, tell=tell)
    have_index_follow(ingestion)


if __name__ == "__main__":
    raise SystemExit(main())
