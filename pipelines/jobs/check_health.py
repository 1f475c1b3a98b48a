"""The job that looks how all sources stand, and the schedule that runs it."""

import dagster as dg

from pipelines.assets.source_health import source_health

check_source_health = dg.define_asset_job(
    "check_source_health",
    selection=dg.AssetSelection.assets(source_health),
    executor_def=dg.in_process_executor,
    description="Look how every source stands by its contract, and tell owners of changes.",
)
health_looked_at = dg.ScheduleDefinition(
    name="health_looked_at",
    job=check_source_health,
    cron_schedule="*/10 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every ten minutes.",
)
