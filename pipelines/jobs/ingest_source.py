"""The job that brings one source up to date: the whole chain, in one process."""

import dagster as dg

GROUP = "ingestion"

ingest_source = dg.define_asset_job(
    "ingest_source",
    selection=dg.AssetSelection.groups(GROUP),
    executor_def=dg.in_process_executor,
    description="Bring one source up to date: list, parse, cut, embed, publish, relate and index what changed, withdraw what is gone.",
    tags={
        "dagster/max_retries": "1",  # after a crash of the process; errors of ours are not retried this way
        "dagster/retry_strategy": "ALL_STEPS",  # a run is whole or nothing: a part of one has no entry in the ledger
    },
)
