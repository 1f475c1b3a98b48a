"""`archivist models`: which embedding model is live, and changing it while the service answers."""

import time
from typing import Annotated, Any

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from api.cli.pipeline import run_pipeline
from retrieval.domain.embedding_models import EMBEDDING, BackfillProgress, EmbeddingModel, ModelReader
from retrieval.settings import Settings

app = typer.Typer(help="Embedding models: register, list, prepare, promote, reverse, retire.", no_args_is_help=True)

Model = Annotated[str, typer.Argument(metavar="MODEL", help="As `archivist models list` shows it.")]
By = Annotated[str, typer.Option("--by", metavar="SUBJECT", help="Who decides, e.g. user:dana, for the record.")]
CLI = "app:cli"


@app.command("list")
def list_models(
    *,
    seconds: Annotated[float, typer.Option("--seconds", min=0, max=60, help="Watch for so long how fast a backfill is; 0: do not.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """List the models, how far each is, how it compared with the live one, and which readers are ready for it."""
    with catalog_of() as catalog:
        models, readers = catalog.embedding_models.all(), catalog.model_readers.readers()
        progress = {model.id: catalog.embedding_models.progress(model.id) for model in models if model.state in EMBEDDING}
        time.sleep(seconds)
        later = {id_: catalog.embedding_models.progress(id_) for id_ in progress} if seconds else progress
    alive = [reader for reader in readers if reader.is_alive]
    rows = [_described(model, progress.get(model.id, []), later.get(model.id, []), seconds, alive) for model in models]
    if as_json:
        print_json({"models": rows, "readers": [vars(reader) for reader in readers]})
        return
    columns = ("id", "state", "dimensions", "embedded", "texts", "texts_per_second", "seconds_left", "as_good", "prepared_by")
    print_table(columns, [[row[column] for column in columns] for row in rows], empty="No model is live yet. Start: archivist serve")
    for row in rows:
        for problem in row["problems"]:
            note(f"{row['id']}: {problem}")


@app.command()
def register(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="One of ARCHIVIST_MODELS_DIRECTORY, with a sentence-transformers model.")],
    *,
    by: By = CLI,
    as_json: AsJson = False,
) -> None:
    """Load a model once and make it a candidate. Prints its id."""
    from retrieval.bootstrap import register_embedding_model  # noqa: PLC0415 - models take seconds to import

    with catalog_of() as catalog:
        model = register_embedding_model(Settings(), catalog, folder, by=by)
    if as_json:
        print_json({"id": model.id, "state": model.state.value, "dimensions": model.dimensions})
        return
    typer.echo(model.id)


@app.command()
def prepare(model: Model, *, by: By = CLI) -> None:
    """Embed everything by a registered model beside the live one, then compare the two. May be stopped and run again."""
    run_pipeline("pipelines.prepare_model", model, "--by", by)


@app.command()
def promote(
    model: Model,
    *,
    force: Annotated[str, typer.Option("--force", metavar="REASON", help="Do it though something speaks against it.")] = "",
    by: By = CLI,
) -> None:
    """Make a ready model live, in one step: from the next query on every running process embeds by it."""
    with catalog_of() as catalog:
        catalog.embedding_models.promote(model, by=by, force=force)
    note(f"{model} is live. Take it back with: archivist models reverse")


@app.command()
def reverse(*, by: By = CLI) -> None:
    """Make the model live that was live before, in one step, whatever speaks against it."""
    with catalog_of() as catalog:
        model, _ = catalog.embedding_models.reverse(by=by)
    note(f"{model} is live again.")


@app.command()
def retire(
    model: Model,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask. Going back to it means embedding anew.")] = False,
    by: By = CLI,
) -> None:
    """Use a model no more and delete its vectors."""
    if not yes:
        typer.confirm(f"Delete every vector of {model}?", abort=True)
    with catalog_of() as catalog:
        catalog.embedding_models.retire(model, by=by)
        deleted = sum(catalog.embedding_models.forget(model, batch=Settings().model_forget_batch))
    note(f"{model} is retired; {deleted} vectors deleted.")


def _described(
    model: EmbeddingModel, before: list[BackfillProgress], after: list[BackfillProgress], seconds: float, readers: list[ModelReader]
) -> dict[str, Any]:
    embedded, texts = sum(each.embedded for each in after), sum(each.texts for each in after)
    rate = (embedded - sum(each.embedded for each in before)) / seconds if seconds else None
    judgement = model.judgement
    return {
        "id": model.id,
        "state": model.state.value,
        "dimensions": model.dimensions,
        "reference": model.reference,
        "embedded": embedded,
        "texts": texts,
        "texts_per_second": None if rate is None else round(rate, 1),
        "seconds_left": round((texts - embedded) / rate) if rate else None,
        "as_good": None if judgement is None else judgement.passed,
        "problems": [] if judgement is None else list(judgement.problems),
        "compared_with": None if judgement is None else judgement.against,
        "prepared_by": f"{sum(model.id in reader.prepared for reader in readers)} of {len(readers)}",
    }
