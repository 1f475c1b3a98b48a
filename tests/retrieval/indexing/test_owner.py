"""The owner of an embedded index: one at a time, healing itself, renewing without dropping a search."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrieval.adapters.qdrant.building import build_generation
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex, Generation
from retrieval.adapters.qdrant.edge_shard import EdgeShard
from retrieval.domain.errors import IndexUnavailable
from retrieval.indexing.builder import SubprocessBuilder
from retrieval.indexing.follower import Follower
from retrieval.indexing.following import FollowingSearch
from retrieval.indexing.owner import Builder, IndexOwner
from retrieval.indexing.thread import FollowerThread
from retrieval.ports.reading import LegSearch
from tests.retrieval.indexing.world import (
    DIMENSIONS,
    IDENTITY,
    FakeChangeFeed,
    InProcessBuilder,
    contents_of,
    document,
    held,
    scope_of,
    vector_of,
)

ROOT = Path(__file__).parents[3]
SEARCH = LegSearch("lantern", vector_of("lantern"), 10)


@pytest.fixture
def feed() -> FakeChangeFeed:
    made = FakeChangeFeed()
    made.publish(document("a", "lantern", "harbour"), document("b", "violin"))
    return made


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EdgeIndex]:
    made = EdgeIndex.open(tmp_path / "index", IDENTITY)
    yield made
    made.close()


def owner_of(index: EdgeIndex, feed: FakeChangeFeed, builder: Builder | None = None, *, renew_after: int = 1_000_000) -> IndexOwner:
    return IndexOwner(feed, index, builder or InProcessBuilder(feed), batch_documents=2, renew_after_passages=renew_after)


def wait_for(condition: Callable[[], object], *, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


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


def damage_by_deleting(directory: Path) -> None:
    shutil.rmtree(directory)


def damage_by_truncating(directory: Path) -> None:
    for path in directory.glob("generations/*/shard/segments/*/segment.json"):
        path.write_bytes(path.read_bytes()[:5])


def damage_by_losing_the_segments(directory: Path) -> None:
    for path in directory.glob("generations/*/shard/segments/*"):
        shutil.rmtree(path)


def damage_by_losing_points(directory: Path) -> None:
    """The engine opens such a shard without complaint."""
    for generation in directory.glob("generations/*"):
        shard = EdgeShard.load(generation / "shard")
        shard.replace([document("b")])
        shard.flush()
        shard.close()


def damage_the_pointer(directory: Path) -> None:
    (directory / "CURRENT").write_text("nonsense")


def damage_the_meta(directory: Path) -> None:
    for path in directory.glob("generations/*/meta.json"):
        path.unlink()


@pytest.mark.parametrize(
    "damage",
    [damage_by_deleting, damage_by_truncating, damage_by_losing_the_segments, damage_by_losing_points, damage_the_pointer, damage_the_meta],
    ids=lambda damage: damage.__name__,
)
def test_a_lost_or_damaged_index_heals_itself_at_the_next_start(
    tmp_path: Path, feed: FakeChangeFeed, damage: Callable[[Path], None]
) -> None:
    directory = tmp_path / "index"
    owner = owner_of(EdgeIndex.open(directory, IDENTITY), feed)
    owner.rebuild()
    owner.close()
    damage(directory)

    healed = EdgeIndex.open(directory, IDENTITY)
    owner = owner_of(healed, feed)
    owner.follow()
    wait_for(lambda: not healed.needs_build)

    assert contents_of(healed) == held(feed.current())
    owner.close()


@pytest.mark.parametrize(
    "other",
    [IndexIdentity("other-model@1", DIMENSIONS), IndexIdentity("test-model@1", DIMENSIONS, contract=99)],
    ids=["model", "contract"],
)
def test_an_index_of_another_model_or_contract_is_not_served(tmp_path: Path, feed: FakeChangeFeed, other: IndexIdentity) -> None:
    owner = owner_of(EdgeIndex.open(tmp_path, IDENTITY), feed)
    owner.rebuild()
    owner.close()

    index = EdgeIndex.open(tmp_path, other)

    assert index.needs_build
    index.close()


def test_an_index_ahead_of_a_restored_catalog_is_withdrawn_and_built_anew(index: EdgeIndex, feed: FakeChangeFeed) -> None:
    owner_of(index, feed).rebuild()
    index.applied(feed.revision() + 5)
    owner = owner_of(index, feed)

    with pytest.raises(IndexUnavailable, match="built anew"):
        owner.catch_up(1.0)
    with pytest.raises(IndexUnavailable, match="built anew"):
        index.search(scope_of(1), SEARCH)
    owner.follow()
    wait_for(lambda: not index.needs_build)

    assert index.revision() == feed.revision()


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

    assert said == ["the index is being rebuilt: 1 of 1 passages"]


def test_the_subprocess_builds_what_this_process_would(
    tmp_path: Path, feed: FakeChangeFeed, index: EdgeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.save(tmp_path / "world.json")
    monkeypatch.setenv("ARCHIVIST_DATA_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    builder = SubprocessBuilder(IDENTITY, feed="tests.retrieval.indexing.world:saved_feed")

    owner_of(index, feed, builder).rebuild()

    assert contents_of(index) == held(feed.current())
    assert index.revision() == feed.revision()


def test_a_subprocess_that_fails_is_reported_with_its_reason(
    feed: FakeChangeFeed, index: EdgeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    builder = SubprocessBuilder(IDENTITY, feed="tests.retrieval.indexing.world:broken_feed")

    with pytest.raises(IndexUnavailable, match="the catalog does not answer"):
        owner_of(index, feed, builder).rebuild()

    assert index.needs_build


def test_a_build_ends_when_its_owner_is_gone(tmp_path: Path) -> None:
    """The child's standard input ends with its owner. Here it has ended before the child starts."""
    command = [sys.executable, "-m", "retrieval.indexing.build", f"--directory={tmp_path / 'build'}"]
    command += ["--feed=tests.retrieval.indexing.world:endless_feed", "--model=m", f"--dimensions={DIMENSIONS}"]

    ended = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=40, check=False, cwd=ROOT)

    assert ended.returncode == 3
    assert not (tmp_path / "build" / "meta.json").exists()


ROUNDS = int(os.environ.get("ARCHIVIST_TEST_INDEX_KILLS", "5"))  # noqa: TID251 - a setting of the tests, not of the product
"""How often the owner of an index is killed; more for a night."""


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_an_owner_killed_at_any_moment_leaves_an_index_that_catches_up(tmp_path: Path, round_: int) -> None:
    """`kill -9` while batches are applied and flushed; then: what a fresh build holds."""
    command = [sys.executable, "-m", "tests.retrieval.indexing.crashing_child", str(tmp_path), str(round_)]
    with subprocess.Popen(command, cwd=ROOT) as child:
        try:
            wait_for((tmp_path / "applying").exists)
            time.sleep(0.05 + 0.17 * round_)
        finally:
            child.kill()
    feed = FakeChangeFeed.load(tmp_path / "world.json")

    index = EdgeIndex.open(tmp_path / "index", IDENTITY)
    served_at_once = not index.needs_build
    behind = index.revision()
    owner = owner_of(index, feed)
    owner.catch_up(None)

    assert served_at_once
    assert child.returncode == -signal.SIGKILL
    assert 0 < behind <= feed.revision()
    assert contents_of(index) == held(feed.current())
    assert json.loads((tmp_path / "index" / "owner.lock").read_text())["pid"] == os.getpid()
    owner.close()
