"""The jobs by which data owners pause, resume and retire a source."""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from pipelines.assets.partitions import SOURCES_NAME
from pipelines.jobs.forms import RegistrationRefused
from pipelines.resources import Workbench
from pipelines.stages.index import apply_changes
from pipelines.who import who
from retrieval.domain.errors import ArchivistError, FieldProblem
from retrieval.domain.sources import SourceState

_SOURCE = dg.Field(dg.String, description="The source's id.")
_CONFIRM = dg.Field(dg.String, description="The source's id again: its documents are withdrawn and its id cannot be used any more.")


def _for(op: str, form: Mapping[str, Any]) -> dict[str, object]:
    return {"ops": {op: {"config": {"source": form["source"]}}}}


def _confirmed(form: Mapping[str, Any]) -> dict[str, object]:
    if form["confirm"] != form["source"]:
        raise RegistrationRefused((FieldProblem("confirm", "must repeat the source's id: everything of it is withdrawn"),))
    return _for("retire", form)


@dg.op(config_schema={"source": dg.String})
def pause(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Keep what is published as it is, and stop bringing it up to date."""
    _do(lambda: workbench.catalog.sources.set_state(context.op_config["source"], SourceState.PAUSED, by=who(context)))


@dg.op(config_schema={"source": dg.String})
def resume(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Bring the source up to date again from its next run on."""
    _do(lambda: workbench.catalog.sources.set_state(context.op_config["source"], SourceState.ACTIVE, by=who(context)))


@dg.op(config_schema={"source": dg.String})
def retire(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Withdraw everything of the source and close it for good."""
    source = context.op_config["source"]
    counts = _do(lambda: workbench.catalog.publishing.retire(source, by=who(context)))
    context.instance.delete_dynamic_partition(SOURCES_NAME, source)
    context.log.info("%s: %d documents withdrawn", source, counts.withdrawn)
    if workbench.settings.index_backend == "server":
        _do(lambda: apply_changes(workbench.ingestion.feed, workbench.ingestion.server_index, workbench.settings))


@dg.job(config=dg.ConfigMapping(lambda form: _for("pause", form), config_schema={"source": _SOURCE}), executor_def=dg.in_process_executor)
def pause_source() -> None:
    """Stop bringing a source up to date; what is published stays readable."""
    pause()


@dg.job(config=dg.ConfigMapping(lambda form: _for("resume", form), config_schema={"source": _SOURCE}), executor_def=dg.in_process_executor)
def resume_source() -> None:
    """Bring a paused source up to date again."""
    resume()


@dg.job(
    config=dg.ConfigMapping(_confirmed, config_schema={"source": _SOURCE, "confirm": _CONFIRM}),
    executor_def=dg.in_process_executor,
)
def retire_source() -> None:
    """Withdraw everything of a source, for good."""
    retire()


def _do(action: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the action returns
    try:
        return action()
    except ArchivistError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


STATE_JOBS = [pause_source, resume_source, retire_source]
