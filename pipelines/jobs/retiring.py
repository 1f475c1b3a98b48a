"""Closing a source for good."""

from pipelines.resources import Workbench
from pipelines.stages.index import have_index_follow


def retired(workbench: Workbench, source: str, *, by: str) -> int:
    """Withdraw everything of a source and close it. Returns how many documents were withdrawn. Raises InvalidInput or Conflict."""
    counts = workbench.catalog.publishing.retire(source, by=by)
    have_index_follow(workbench.ingestion)
    return counts.withdrawn
