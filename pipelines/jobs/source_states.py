"""The jobs by which data owners pause, resume, retire and delete a source."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import dagster as dg

from pipelines.assets.partitions import SOURCE_TAG, SOURCES_NAME
from pipelines.assets.previews import counts_table
from pipelines.jobs.forms import RegistrationRefused
from pipelines.jobs.retiring import retired
from pipelines.resources import Workbench
from pipelines.stages.index import have_index_follow
from pipelines.who import check_may_change, who
from retrieval.bootstrap import open_erasing
from retrieval.domain.erasure import ErasureKind, ErasureRequest
from retrieval.domain.errors import ArchivistError, FieldProblem
from retrieval.domain.registration_fields import DRY_RUN
from retrieval.domain.sources import SourceState

_NEXT_STEP = "Nothing was removed. To remove it, launch the same form again with dry_run: false and the source's id in confirm."
_ONE = {"source": dg.Field(dg.String, description="The source's id.")}
_TWICE = _ONE | {
    "confirm": dg.Field(dg.String, description="The source's id again: its documents are withdrawn and its id cannot be used any more.")
}
_DELETE = _ONE | {
    DRY_RUN.name: dg.Field(dg.Bool, is_required=False, default_value=True, description="true: show what would be removed, remove nothing."),
    "confirm": dg.Field(dg.String, is_required=False, default_value="", description="The source's id again, where dry_run is false."),
    "reason": dg.Field(dg.String, is_required=False, default_value="", description="Why, for the report; without personal data."),
}
_GONE_FOR_GOOD = "must repeat the source's id: everything of it is removed, and its id cannot be used any more"


def _for(op: str, form: Mapping[str, Any]) -> dict[str, object]:
    return {"ops": {op: {"config": {"source": form["source"]}}}}


def _confirmed(form: Mapping[str, Any]) -> dict[str, object]:
    if form["confirm"] != form["source"]:
        raise RegistrationRefused((FieldProblem("confirm", "must repeat the source's id: everything of it is withdrawn"),))
    return _for("retire", form)


def _deleted(form: Mapping[str, Any]) -> dict[str, object]:
    if not form[DRY_RUN.name] and form["confirm"] != form["source"]:
        raise RegistrationRefused((FieldProblem("confirm", _GONE_FOR_GOOD),))
    return {"ops": {"delete": {"config": {name: form[name] for name in ("source", "reason", DRY_RUN.name)}}}}


@dg.op(config_schema={"source": dg.String})
def pause(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Keep what is published as it is, and stop bringing it up to date."""
    with _changing(context, workbench) as source:
        workbench.catalog.sources.set_state(source, SourceState.PAUSED, by=who(context))


@dg.op(config_schema={"source": dg.String})
def resume(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Bring the source up to date again from its next run on."""
    with _changing(context, workbench) as source:
        workbench.catalog.sources.set_state(source, SourceState.ACTIVE, by=who(context))


@dg.op(config_schema={"source": dg.String})
def retire(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Withdraw everything of the source and close it for good."""
    with _changing(context, workbench) as source:
        withdrawn = retired(workbench, source, by=who(context))
        context.log.info("%s: %d documents withdrawn", source, withdrawn)
        context.instance.delete_dynamic_partition(SOURCES_NAME, source)


@dg.op(config_schema={"source": dg.String, "reason": dg.String, DRY_RUN.name: dg.Bool}, out=dg.Out(dg.Nothing))
def delete(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Show what would be removed; or remove everything of the source, and keep a signed report of it."""
    reason = context.op_config["reason"].strip() or "its owner deleted the source"
    with _changing(context, workbench) as source:
        request = ErasureRequest(kind=ErasureKind.SOURCE, source=source, reason=reason)
        erasing = open_erasing(workbench.settings, workbench.catalog, workbench.ingestion.blobs)
        if context.op_config[DRY_RUN.name]:
            plan = erasing.plan(request)
            removed = {"documents": sum(plan.documents.values()), "versions": plan.versions}
            context.add_output_metadata({"would be removed": counts_table("what", removed, of="how many"), "next step": _NEXT_STEP})
            return
        erased = erasing.erase(request, by=who(context))
        shown = {"removed": counts_table("what", erased.report.removed, of="how many"), "report": str(erased.file)}
        context.add_output_metadata(shown)
        context.instance.delete_dynamic_partition(SOURCES_NAME, source)
        have_index_follow(workbench.ingestion)


@contextmanager
def _changing(context: dg.OpExecutionContext, workbench: Workbench) -> Iterator[str]:
    """The source that the run is about, if whoever launched it may change it. What goes wrong is told in plain words."""
    source = context.op_config["source"]
    context.instance.add_run_tags(context.run_id, {SOURCE_TAG: source})
    try:
        check_may_change(context, workbench, source)
        yield source
    except ArchivistError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def _job(
    name: str, op: dg.OpDefinition, description: str, config: Callable[..., dict[str, object]], schema: Mapping[str, dg.Field]
) -> dg.JobDefinition:
    @dg.job(
        name=name,
        description=description,
        config=dg.ConfigMapping(config, config_schema=dict(schema)),
        executor_def=dg.in_process_executor,
        tags={"archivist/audience": "data owners"},
    )
    def job() -> None:
        op()

    return job


STATE_JOBS = [
    _job("pause_source", pause, "Stop bringing a source up to date; what is published stays readable.", partial(_for, "pause"), _ONE),
    _job("resume_source", resume, "Bring a paused source up to date again.", partial(_for, "resume"), _ONE),
    _job("retire_source", retire, "Withdraw everything of a source, for good; old versions stay for the record.", _confirmed, _TWICE),
    _job(
        "delete_source", delete, "Remove a source with everything derived from it, for good, and keep a signed report.", _deleted, _DELETE
    ),
]
