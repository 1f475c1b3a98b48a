"""The owner of an embedded index: one at a time, keeping up, renewing without dropping a search."""

import os
import threading
from pathlib import Path

import pytest

from retrieval.adapters.qdrant.building import build_generation
from retrieval.adapters.qdrant.edge import EdgeIndex, Generation
from retrieval.domain.errors import IndexUnavailable
from retrieval.indexing.follower import Follower
from retrieval.indexing.following import FollowingSearch
from retrieval.indexing.thread import FollowerThread
from retrieval.ports.reading import LegSearch
from tests.retrieval.indexing.world import (
    IDENTITY,
    FakeChangeFeed,
    InProcessBuilder,
    contents_of,
    document,
    held,
    owner_of,
    scope_of,
    vector_of,
    wait_for,
)

ROOT = Path(__file__).parents[3]
SEARCH = LegSearch("lantern", vector_of("lantern"), 10)


def test_a_new_directory_serves_nothing_until_it_is_built(index: EdgeIndex, feed: FakeChangeFeed) -> None:
    with pytest.raises(IndexUnavailable, match="being built"):
        index.search(scope_of(1), SEARCH)

    owner_of(index, feed).rebuild()

    assert contents_of(index) == held(feed.current())
    assert len(index.search(scope_of(1), SEARCH).dense.hits) == 3


def test_following_builds_what_is_missing_by_itself_and_then_keeps_up(index: EdgeIndex, feed: FakeChangeFeed) -> None:
    owner = owner_of(index, feed)
    thread = FollowerThread(owner.follow, pause_seconds=0.02)

    thread.start()
    wait_for(lambda: not index.needs_build)
    feed.publish(document("c", "saffron"))
    wait_for(lambda: index.revision() == feed.revision())
    thread.stop()

    assert contents_of(index) == held(feed.current())


def test_a_search_sees_what_was_published_before_it(index: EdgeIndex, feed: FakeChangeFeed) -> None:
    owner = owner_of(index, feed)
    owner.rebuild()
    search = FollowingSearch(index, lambda _: owner.catch_up(2.0))
    revision = feed.publish(document("c", "saffron lantern"))

    runs = search.search(scope_of(1), LegSearch("saffron", None, 10, at_least=revision))

    assert len(runs.lexical.hits) == 1


def test_a_restart_serves_what_was_there_without_a_build(tmp_path: Path, feed: FakeChangeFeed) -> None:
    first = EdgeIndex.open(tmp_path, IDENTITY)
    owner = owner_of(first, feed)
    owner.rebuild()
    feed.publish(document("c", "saffron"))
    owner.catch_up(None)
    owner.close()

    second = EdgeIndex.open(tmp_path, IDENTITY)

    assert not second.needs_build
    assert second.revision() == feed.revision()
    assert contents_of(second) == held(feed.current())
    second.close()


def test_a_second_owner_is_refused_and_told_who_owns_the_index(index: EdgeIndex, tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match=f"owned by process {os.getpid()} .*ARCHIVIST_INDEX_BACKEND=server"):
        EdgeIndex.open(tmp_path / "index", IDENTITY)


def test_what_was_published_during_a_build_is_there_after_the_swap(index: EdgeIndex, feed: FakeChangeFeed) -> None:
    builder = InProcessBuilder(feed, before_finish=lambda: feed.publish(document("late", "granite")))

    owner_of(index, feed, builder).rebuild()

    assert contents_of(index) == held(feed.current())
    assert "doc_late" in {point.document for point in index.contents()}


def test_a_swap_never_goes_back_behind_what_was_served(index: EdgeIndex, feed: FakeChangeFeed) -> None:
    owner = owner_of(index, feed)
    owner.rebuild()
    build = index.generations.new_build()
    build_generation(feed, build, IDENTITY)
    caught_up: list[int] = []

    def catch_up(generation: Generation) -> None:
        caught_up.append(Follower(feed, generation, batch_documents=2).catch_up(None))
        if len(caught_up) == 1:
            feed.publish(document("late", "granite"))
            owner.catch_up(None)

    index.swap(build, catch_up)

    assert index.revision() == feed.revision()
    assert contents_of(index) == held(feed.current())


def test_a_failed_build_leaves_what_serves_and_no_folder(index: EdgeIndex, feed: FakeChangeFeed, tmp_path: Path) -> None:
    owner_of(index, feed).rebuild()

    def fail() -> None:
        raise IndexUnavailable("the disk is full")

    with pytest.raises(IndexUnavailable, match="disk"):
        owner_of(index, feed, InProcessBuilder(feed, before_finish=fail)).rebuild()

    assert contents_of(index) == held(feed.current())
    assert [path.name for path in (tmp_path / "index" / "generations").iterdir()] == ["1"]


def test_searches_go_on_through_many_swaps_and_changes(index: EdgeIndex, feed: FakeChangeFeed, tmp_path: Path) -> None:
    owner = owner_of(index, feed)
    owner.rebuild()
    stopping = threading.Event()
    answers: list[int] = []
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            while not stopping.is_set():
                owner.catch_up(1.0)
                answers.append(len(index.search(scope_of(1), SEARCH).dense.hits))
                index.texts(scope_of(1), sorted(held(feed.current())))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(2):
        feed.publish(document("b", f"violin {number}", number=number + 2))
        owner.rebuild()
    stopping.set()
    for thread in threads:
        thread.join()

    assert failures == []
    assert set(answers) <= {3, 4}
    assert contents_of(index) == held(feed.current())
    assert [path.name for path in (tmp_path / "index" / "generations").iterdir()] == ["3"]


def test_an_index_much_written_to_is_renewed_beside_itself(index: EdgeIndex, feed: FakeChangeFeed) -> None:
    builder = InProcessBuilder(feed)
    owner = owner_of(index, feed, builder, renew_after=3)
    owner.rebuild()
    feed.publish(*[document(f"d{number}", "saffron") for number in range(3)])

    owner.follow()
    wait_for(lambda: builder.builds == 2 and index.written_passages == 0)

    assert contents_of(index) == held(feed.current())


def test_progress_is_told_to_those_who_search_meanwhile(index: EdgeIndex, feed: FakeChangeFeed) -> None:
    builder = InProcessBuilder(feed)
    said: list[str] = []

    def look() -> None:
        with pytest.raises(IndexUnavailable) as caught:
            index.search(scope_of(1), SEARCH)
        said.append(str(caught.value))

    builder.before_finish = look
    owner_of(index, feed, builder).rebuild()

    assert said == ["the index is being rebuilt: 99 % done"]
