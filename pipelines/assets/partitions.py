"""One partition per source. The registry is the truth; a sensor keeps the partitions like it."""

import dagster as dg

SOURCES = dg.DynamicPartitionsDefinition(name="sources")
SOURCES_NAME = "sources"
SOURCE_TAG = "archivist/source"
