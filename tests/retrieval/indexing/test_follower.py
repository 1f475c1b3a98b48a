"""Following a feed: what is applied, when it is remembered, and what happens when the catalog is away or was restored."""

import threading
import time
from collections.abc import Sequence

import pytest

from retrieval.domain.errors import CatalogUnavailable
from retrieval.domain.passages import IndexedDocument
from retrieval.indexing.follower import Follower, IndexAhead
from retrieval.indexing.thread import FollowerThread
from retrieval.ports.writing import Change, Reclassification
from tests.retrieval.indexing.world import FakeChangeFeed, document


class RecordingWriter:
    """An IndexWriter in memory that remembers what it was asked."""

    def __init__(self, *, pause_seconds: float = 0.0) -> None:
        self.documents: dict[str, IndexedDocument] = {}
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.revisions = [0]
        self._pause_seconds = pause_seconds

    def replace(self, documents: Sequence[IndexedDocument]) -> None:
        time.sleep(self._pause_seconds)
        self.calls.append(("replace", tuple(state.document for state in documents)))
        self.documents.update({state.document: state for state in documents})

    def reclassify(self, changes: Sequence[Reclassification]) -> None:
        self.calls.append(("reclassify", tuple(change.document for change in changes)))

    def applied(self, revision: int) -> None:
        self.revisions.append(revision)

    def applied_revision(self) -> int:
        return self.revisions[-1]


def test_when_nothing_is_new_the_catalog_is_read_once() -> None:
    feed, writer = FakeChangeFeed(), RecordingWriter()
    feed.publish(document("a", "x"))
    follower = Follower(feed, writer, batch_documents=10)
    follower.catch_up(None)
    feed.reads = 0

    follower.catch_up(0.0)

    assert feed.reads == 1


def test_an_access_only_change_moves_the_passages_without_writing_them() -> None:
    feed, writer = FakeChangeFeed(), RecordingWriter()
    feed.publish(document("a", "x"), document("b", "y"))
    follower = Follower(feed, writer, batch_documents=10)
    follower.catch_up(None)
    writer.calls.clear()
    feed.reclassify(5, "doc_a")

    follower.catch_up(None)

    assert writer.calls == [("reclassify", ("doc_a",))]


def test_a_changed_document_that_also_moved_is_written_once() -> None:
    feed, writer = FakeChangeFeed(), RecordingWriter()
    feed.publish(document("a", "x"))
    feed.reclassify(5, "doc_a")

    Follower(feed, writer, batch_documents=10).catch_up(None)

    assert writer.calls == [("replace", ("doc_a",))]
    assert writer.documents["doc_a"].access_class == 5


def test_content_is_not_lost_when_its_document_moves_beyond_the_first_batch() -> None:
    feed, writer = FakeChangeFeed(), RecordingWriter()
    for name in "abc":
        feed.publish(document(name, "x"))
    feed.reclassify(5, "doc_a")

    Follower(feed, writer, batch_documents=1).catch_up(None)

    assert set(writer.documents) == {"doc_a", "doc_b", "doc_c"}


class WithdrawingFeed(FakeChangeFeed):
    """Withdraws its documents between telling that they moved and telling what they are."""

    def changes(self, after: int, *, limit: int) -> list[Change]:
        told = super().changes(after, limit=limit)
        if told and all(change.access_only for change in told):
            self.withdraw(*[state.document for state in self.current()])
        return told


def test_a_moved_document_that_was_withdrawn_since_is_deleted() -> None:
    feed, writer = WithdrawingFeed(), RecordingWriter()
    revision = feed.publish(document("a", "x"))
    follower = Follower(feed, writer, batch_documents=10)
    follower.catch_up(None)
    moved = feed.reclassify(5, "doc_a")

    follower.catch_up(None)

    assert writer.revisions == [0, revision, moved]
    assert writer.calls[-1] == ("replace", ("doc_a",))
    assert writer.documents["doc_a"].passages == ()


def test_a_large_revision_is_written_in_small_batches_and_remembered_after_the_last() -> None:
    feed, writer = FakeChangeFeed(), RecordingWriter()
    feed.publish(*[document(f"d{number}", "x") for number in range(7)])

    Follower(feed, writer, batch_documents=3).catch_up(None)

    assert [len(documents) for _, documents in writer.calls] == [3, 3, 1]
    assert writer.revisions == [0, 1]


def test_a_revision_without_documents_is_reached_too() -> None:
    feed, writer = FakeChangeFeed(), RecordingWriter()
    feed.touch()

    assert Follower(feed, writer, batch_documents=3).catch_up(None) == 1


def test_a_deadline_ends_the_catching_up_and_the_next_one_goes_on_where_it_was() -> None:
    feed, writer = FakeChangeFeed(), RecordingWriter(pause_seconds=0.05)
    feed.publish(*[document(f"d{number}", "x") for number in range(6)])
    follower = Follower(feed, writer, batch_documents=1)

    first = follower.catch_up(0.12)
    done = len(writer.calls)
    last = follower.catch_up(None)

    assert first == 0
    assert 1 <= done < 6
    assert last == 1
    assert [documents[0] for _, documents in writer.calls] == [f"doc_d{number}" for number in range(6)]


def test_an_index_ahead_of_the_catalog_is_noticed() -> None:
    feed, writer = FakeChangeFeed(), RecordingWriter()
    writer.applied(8)

    with pytest.raises(IndexAhead, match="revision 8"):
        Follower(feed, writer, batch_documents=1).catch_up(None)


class BusyFeed(FakeChangeFeed):
    """Right after it has told its revision, something is published and another thread applies it."""

    def __init__(self, writer: RecordingWriter) -> None:
        super().__init__()
        self._writer = writer

    def revision(self) -> int:
        told = super().revision()
        self._writer.applied(self.touch())
        return told


def test_progress_of_another_thread_is_not_taken_for_being_ahead() -> None:
    writer = RecordingWriter()

    reached = Follower(BusyFeed(writer), writer, batch_documents=2).catch_up(None)

    assert reached == 1


def test_threads_that_catch_up_together_share_the_work() -> None:
    feed, writer = FakeChangeFeed(), RecordingWriter()
    follower = Follower(feed, writer, batch_documents=2)
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(100):
                follower.catch_up(0.5)
        except IndexAhead as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(100):
        feed.publish(document(f"d{number}", "x"))
    for thread in threads:
        thread.join()

    assert failures == []
    assert follower.catch_up(None) == 100
    assert sum(len(documents) for _, documents in writer.calls) == 100


def test_a_catalog_that_is_away_is_an_error_for_a_query() -> None:
    feed = FakeChangeFeed()
    feed.is_down = True

    with pytest.raises(CatalogUnavailable):
        Follower(feed, RecordingWriter(), batch_documents=1).catch_up(1.0)


def test_the_thread_survives_an_outage_and_a_defect_and_then_follows() -> None:
    feed, writer = FakeChangeFeed(), RecordingWriter()
    follower = Follower(feed, writer, batch_documents=1)
    defects = iter([ZeroDivisionError("a defect")])

    def follow() -> None:
        for defect in defects:
            raise defect
        follower.catch_up(None)

    feed.publish(document("a", "x"))
    feed.is_down = True
    thread = FollowerThread(follow, pause_seconds=0.005)
    thread.start()
    time.sleep(0.05)
    feed.is_down = False

    eventually(lambda: writer.applied_revision() == 1)
    thread.stop()

    assert not thread.is_alive
    assert list(writer.documents) == ["doc_a"]


def eventually(condition: object, *, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:  # type: ignore[operator]
        time.sleep(0.005)
