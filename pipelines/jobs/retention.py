"""The job that removes versions which no term keeps, and the schedule that runs it."""

import dagster as dg

from pipelines.assets.previews import table
from pipelines.jobs.version_forms import RETENTION_FIELDS, checked_config
from pipelines.resources import Workbench
from pipelines.who import check_may_change, who
from retrieval.domain.errors import ArchivistError
from retrieval.domain.retention import RetentionCounts

_COLUMNS = tuple(RetentionCounts.__dataclass_fields__)


@dg.op(config_schema=RETENTION_FIELDS, out=dg.Out(dg.Nothing))
def remove_old_versions(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Show what is beyond its term; or remove it, with whatever only it used."""
    form, catalog = context.op_config, workbench.catalog
    try:
        wanted = [catalog.sources.get(form["source"])] if form["source"] else catalog.sources.list()
        found: dict[str, RetentionCounts] = {}
        for registered in wanted:
            source, terms = registered.spec.id, registered.spec.retention
            if form["dry_run"]:
                found[source] = catalog.retention.beyond(source, terms)
                continue
            if form["source"]:
                check_may_change(context, workbench, source)
            found[source] = catalog.retention.remove(source, terms, by=who(context), remove_content=workbench.ingestion.blobs.remove)
    except ArchivistError as error:
        raise dg.Failure(f"Not everything was removed. {error}", allow_retries=False) from error
    rows = [(source, *vars(counts).values()) for source, counts in found.items() if counts.versions]
    total = sum(counts.versions for counts in found.values())
    context.add_output_metadata({"versions": total, "by source": table(("source", *_COLUMNS), rows)})


@dg.job(config=checked_config("remove_old_versions", RETENTION_FIELDS, lambda _form: None), executor_def=dg.in_process_executor)
def retention() -> None:
    """Remove versions that nobody sees any more and that no term of their source keeps. With dry_run: true it only counts them."""
    remove_old_versions()


@dg.schedule(
    job=retention,
    cron_schedule="30 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: old versions that no term keeps are removed.",
)
def old_versions_removed() -> dg.RunRequest:
    return dg.RunRequest(run_config={"source": "", "dry_run": False})
