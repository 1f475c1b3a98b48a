"""Registrations, which people make: in the Dagster UI, on the command line or through the API."""

import dagster as dg

from pipelines.assets.partitions import SOURCES

REGISTRATION_KEY = dg.AssetKey("source_registration")

source_registration = dg.AssetSpec(
    REGISTRATION_KEY,
    description="What is registered of every source: its place, owner and permission rules. One row is one registration.",
    group_name="sources",
    partitions_def=SOURCES,
    kinds={"registration"},
)
