"""Publish what is complete, then withdraw what the source no longer holds: in this order, so that a move leaves no gap."""

from collections.abc import Callable

from retrieval.domain.ingestion import PublicationCounts, SourceRun
from retrieval.ports.ingestion import Publishing


def publish_run(
    publishing: Publishing, run: SourceRun, *, model: str, batch: int, progress: Callable[[int], None] = lambda _done: None
) -> PublicationCounts:
    """Make every complete staged version of the run's source visible and withdraw the missing documents."""
    total = PublicationCounts()
    for counts in publishing.publish(run, model=model, batch=batch):
        total = _sum(total, counts)
        progress(total.published)
    for counts in publishing.withdraw_missing(run, batch=batch):
        total = _sum(total, counts)
    return total


def _sum(one: PublicationCounts, other: PublicationCounts) -> PublicationCounts:
    return PublicationCounts(
        published=one.published + other.published,
        passages=one.passages + other.passages,
        withdrawn=one.withdrawn + other.withdrawn,
        waiting=one.waiting + other.waiting,
        revision=max(one.revision, other.revision),
    )
