"""Closing a source for good."""

from pipelines.resources import Workbench
from pipelines.stages.index import apply_changes


def retired(workbench: Workbench, source: str, *, by: str) -> int:
    """Withdraw everything of a source and close it. Returns how many documents were withdrawn. Raises InvalidInput or Conflict."""
    counts = workbench.catalog.publishing.retire(source, by=by)
    have_index_follow(workbench)
    return counts.withdrawn


def have_index_follow(workbench: Workbench) -> None:
    """Bring an index server to the catalog's state. An embedded index follows by itself."""
    if workbench.settings.index_backend == "server":
        apply_changes(workbench.ingestion.feed, workbench.ingestion.server_index, workbench.settings)
