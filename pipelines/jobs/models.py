"""The jobs by which an operator changes the embedding model: register, prepare, promote, go back, retire."""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from pipelines.assets.model_vectors import model_is_as_good, model_vectors
from pipelines.jobs.forms import RegistrationRefused
from pipelines.resources import Workbench
from pipelines.stages.index import have_index_follow
from pipelines.who import who
from retrieval.bootstrap import register_embedding_model as register
from retrieval.domain.embedding_models import checked_force
from retrieval.domain.errors import ArchivistError, FieldProblem, InvalidInput

_AUDIENCE = {"archivist/audience": "operators"}
_MODEL = dg.Field(dg.String, description="The model's id, as `archivist models list` shows it: 'all-MiniLM-L6-v2@53aa51172d14'.")
_PLACE = dg.Field(
    dg.String,
    description="Folder of the models' directory (ARCHIVIST_MODELS_DIRECTORY) with a sentence-transformers model: 'multilingual-e5-small'.",
)
_FORCE = dg.Field(
    dg.String,
    is_required=False,
    default_value="",
    description="Why it becomes live although the comparison or a reader speaks against it; it is recorded. Empty: only if nothing does.",
)
_CONFIRM = dg.Field(dg.String, description="The model's id again: its vectors are deleted, and going back to it means embedding anew.")


@dg.op(config_schema={"model": dg.String})
def register_model(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Load it once, and make it a candidate."""
    settings, catalog = workbench.settings, workbench.catalog
    model = _do(lambda: register(settings, catalog, context.op_config["model"], by=who(context)))
    context.log.info("%s is %s: %d dimensions", model.id, model.state.value, model.dimensions)


@dg.op(config_schema={"model": dg.String, "force": dg.String})
def promote_model(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Make it live, in one transaction."""
    model, force = context.op_config["model"], context.op_config["force"]
    revision = _do(lambda: workbench.catalog.embedding_models.promote(model, by=who(context), force=force))
    context.log.info("%s is live from revision %d on", model, revision)


@dg.op
def reverse_model(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Make the model live that was live before, in one transaction."""
    model, revision = _do(lambda: workbench.catalog.embedding_models.reverse(by=who(context)))
    context.log.info("%s is live again, from revision %d on", model, revision)


@dg.op(config_schema={"model": dg.String})
def retire_model(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Use it no more, and delete its vectors in batches."""
    models, model = workbench.catalog.embedding_models, context.op_config["model"]
    _do(lambda: models.retire(model, by=who(context)))
    deleted = _do(lambda: sum(models.forget(model, batch=workbench.settings.model_forget_batch)))
    context.log.info("%s: %d vectors deleted", model, deleted)
    _do(lambda: have_index_follow(workbench.ingestion))


def _job(name: str, op: dg.OpDefinition, schema: Mapping[str, Any], config: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Any:  # noqa: ANN401 - what dg.job returns
    mapping = dg.ConfigMapping(lambda form: {"ops": {op.name: {"config": config(form)}}} if schema else {}, config_schema=dict(schema))

    @dg.job(name=name, config=mapping, executor_def=dg.in_process_executor, description=op.description, tags=_AUDIENCE)
    def job() -> None:
        op()

    return job


def _promotion(form: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"model": form["model"], "force": checked_force(form["force"])}
    except InvalidInput as error:
        raise RegistrationRefused(error.problems) from error


def _retirement(form: Mapping[str, Any]) -> dict[str, Any]:
    if form["confirm"] != form["model"]:
        raise RegistrationRefused((FieldProblem("confirm", "must repeat the model's id: its vectors are deleted"),))
    return {"model": form["model"]}


def _prepared(form: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {"config": {"model": form["model"]}}
    return {"ops": {"model_vectors": chosen, "model_vectors_model_is_as_good": chosen}}


def _do(action: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the action returns
    try:
        return action()
    except ArchivistError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


model_backfill = dg.define_asset_job(
    "model_backfill",
    selection=dg.AssetSelection.assets(model_vectors) | dg.AssetSelection.checks(model_is_as_good),
    config=dg.ConfigMapping(_prepared, config_schema={"model": _MODEL}),
    description="Embed everything by a registered model beside the live one, then compare the two. It may be run again.",
    executor_def=dg.in_process_executor,
    tags=_AUDIENCE,
)
MODEL_JOBS = [
    _job("register_embedding_model", register_model, {"model": _PLACE}, lambda form: {"model": form["model"]}),
    model_backfill,
    _job("promote_embedding_model", promote_model, {"model": _MODEL, "force": _FORCE}, _promotion),
    _job("reverse_embedding_model", reverse_model, {}, lambda _form: {}),
    _job("retire_embedding_model", retire_model, {"model": _MODEL, "confirm": _CONFIRM}, _retirement),
]
