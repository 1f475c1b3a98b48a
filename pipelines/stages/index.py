"""See that the index shows what was published: wait for those who follow the catalog, or write to a server what is new."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from retrieval.bootstrap import Ingestion
from retrieval.indexing.remote import RebuildableIndex, bring_up
from retrieval.ports.writing import ChangeFeed, FollowerRegistry, FollowerStatus
from retrieval.settings import Settings

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class IndexReport:
    """How the index stands to a revision of the catalog.

    Attributes:
        followers: the readers that are alive.
        behind: names of those that have not reached the revision.
        waited_seconds: how long the last one took.
    """

    revision: int
    followers: tuple[FollowerStatus, ...]
    behind: tuple[str, ...]
    waited_seconds: float

    @property
    def is_current(self) -> bool:
        return bool(self.followers) and not self.behind

    def __str__(self) -> str:
        if not self.followers:
            return "no reader is running: what was published can be searched as soon as one starts"
        if self.behind:
            return f"published, but not yet shown by {', '.join(self.behind)}"
        return f"shown by {len(self.followers)} readers" if len(self.followers) > 1 else "shown by the reader"


def report_on(registry: FollowerRegistry, revision: int, *, waited_seconds: float = 0.0) -> IndexReport:
    alive = tuple(follower for follower in registry.followers() if registry.is_alive(follower))
    behind = tuple(follower.name for follower in alive if follower.applied_revision < revision)
    return IndexReport(revision, alive, behind, waited_seconds)


def await_followers(
    registry: FollowerRegistry, revision: int, *, seconds: float, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> IndexReport:
    """Wait until every reader that is alive shows the revision, at most `seconds`; not at all when there is none."""
    started = time.monotonic()
    while True:
        report = report_on(registry, revision, waited_seconds=time.monotonic() - started)
        if not report.behind or report.waited_seconds >= seconds:
            return report
        progress(len(report.followers) - len(report.behind), len(report.followers))
        time.sleep(POLL_SECONDS)


def have_index_follow(ingestion: Ingestion) -> None:
    """Bring an index on a server to the catalog's state. An embedded index follows by itself. Raises IndexUnavailable."""
    if ingestion.settings.index_backend == "server":
        apply_changes(ingestion.feed, ingestion.server_index, ingestion.settings)


def apply_changes(feed: ChangeFeed, index: RebuildableIndex, settings: Settings) -> int:
    """Bring an index on a server to the catalog's revision, building it if there is none. Returns the applied revision.

    Raises:
        IndexUnavailable: the server does not answer.
    """
    return bring_up(feed, index, batch_documents=settings.index_batch_documents)
