"""Record what a source holds and who may read it. Permissions take effect here."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from itertools import islice

from retrieval.domain.documents import SourceFile
from retrieval.domain.errors import InvalidInput
from retrieval.domain.ingestion import ListingCounts, SourceRun
from retrieval.ports.ingestion import Listing

BATCH_FILES = 1_000
"""Files recorded in one transaction."""


def record_listing(
    files: Iterable[SourceFile],
    listing: Listing,
    run: SourceRun,
    *,
    max_files: int,
    progress: Callable[[int], None] = lambda _done: None,
) -> ListingCounts:
    """Record every file of the source, then close the listing. A listing that breaks midway withdraws nothing.

    Raises:
        InvalidInput: the source holds more than `max_files` files.
        SourceUnavailable: from the connector; what was recorded stays, and permissions are as new as they can be.
    """
    listed = iter(files)
    total = ListingCounts()
    while batch := list(islice(listed, BATCH_FILES)):
        if total.listed + len(batch) > max_files:
            raise InvalidInput.of("location", "the source holds too many files", limit=f"{max_files} files")
        total = _sum(total, listing.record(run, batch))
        progress(total.listed)
    return _sum(total, listing.complete(run))


def _sum(one: ListingCounts, other: ListingCounts) -> ListingCounts:
    return ListingCounts(**{name: count + getattr(other, name) for name, count in asdict(one).items()})
