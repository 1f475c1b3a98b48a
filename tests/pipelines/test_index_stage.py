"""Waiting for the readers of the catalog, and writing to an index on a server."""

from collections.abc import Sequence

from pipelines.stages.index import apply_changes, await_followers
from retrieval.domain.passages import IndexedDocument
from retrieval.ports.writing import Change, FollowerStatus, Reclassification
from retrieval.settings import Settings


class Followers:
    """A registry whose one reader is a revision further at each look; the reader `dead` is not there any more."""

    def __init__(self, *, revision: int, last: int) -> None:
        self.looks = 0
        self._revision = revision
        self._last = last

    def followers(self) -> list[FollowerStatus]:
        revision = min(self._revision + self.looks, self._last)
        self.looks += 1
        return [FollowerStatus(name, applied, 1, 10, "ready", "", 1, "host") for name, applied in (("edge", revision), ("dead", 0))]

    def is_alive(self, follower: FollowerStatus) -> bool:
        return follower.name != "dead"


def test_a_run_waits_until_every_living_reader_shows_the_revision() -> None:
    followers = Followers(revision=5, last=9)

    report = await_followers(followers, 8, seconds=10)

    assert report.is_current
    assert followers.looks == 4
    assert str(report) == "shown by the reader"


def test_a_run_does_not_wait_longer_than_it_may() -> None:
    followers = Followers(revision=5, last=6)

    report = await_followers(followers, 8, seconds=0.1)

    assert not report.is_current
    assert report.behind == ("edge",)
    assert 0.1 <= report.waited_seconds < 5


class Feed:
    """Two revisions: a document came, and another was withdrawn."""

    def revision(self) -> int:
        return 2

    def changes(self, after: int, *, limit: int) -> list[Change]:
        return [
            change for change in (Change(1, "came", access_only=False), Change(2, "went", access_only=False)) if change.revision > after
        ]

    def indexed_documents(self, documents: Sequence[str]) -> list[IndexedDocument]:
        return [IndexedDocument(document, "handbook", 1, "version", 1, ()) for document in documents]


class Index:
    """What a server would hold."""

    needs_build = False

    def __init__(self) -> None:
        self.replaced: list[str] = []
        self.revision = 0

    def replace(self, documents: Sequence[IndexedDocument]) -> None:
        self.replaced += [document.document for document in documents]

    def reclassify(self, changes: Sequence[Reclassification]) -> None:
        raise AssertionError("no access class has moved")

    def applied(self, revision: int) -> None:
        self.revision = revision

    def applied_revision(self) -> int:
        return self.revision


def test_an_index_on_a_server_is_brought_to_the_catalogs_revision_by_the_run() -> None:
    index = Index()

    applied = apply_changes(Feed(), index, Settings())

    assert applied == 2
    assert index.replaced == ["came", "went"]
