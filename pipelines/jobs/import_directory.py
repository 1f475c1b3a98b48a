"""The job that reads the organisation's CSV files of people and groups again, and the schedule that runs it."""

from pathlib import Path

import dagster as dg

from pipelines.resources import Workbench
from retrieval.bootstrap import directory_files, import_directory
from retrieval.domain.audit import PIPELINE
from retrieval.domain.errors import ArchivistError


@dg.op
def import_csv(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Bring the directory to what the files say; unchanged files change nothing."""
    settings = workbench.settings
    try:
        counts = import_directory(
            workbench.catalog.directory,
            directory_files(Path(settings.directory_csv)),
            settings,
            delete_missing=settings.directory_csv_delete_missing,
            by=PIPELINE.subject,
        )
    except ArchivistError as error:
        raise dg.Failure(f"The directory is as it was. {error}", allow_retries=False) from error
    context.log.info("%s", counts)


@dg.job(
    name="import_directory",
    executor_def=dg.in_process_executor,
    description="Read the CSV files of people and groups again.",
    tags={"archivist/audience": "operators"},
)
def import_directory_job() -> None:
    import_csv()


@dg.schedule(
    job=import_directory_job,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every 15 minutes, where the settings name files of people and groups.",
)
def directory_files_read(workbench: dg.ResourceParam[Workbench]) -> dg.SkipReason | dg.RunRequest:
    if not workbench.settings.directory_csv:
        return dg.SkipReason("the settings name no file of people or groups")
    return dg.RunRequest()
