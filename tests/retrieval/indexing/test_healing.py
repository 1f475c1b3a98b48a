"""An embedded index that was lost, damaged, outdated or whose owner was killed becomes what the catalog holds."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.adapters.qdrant.edge_shard import EdgeShard
from retrieval.domain.errors import IndexUnavailable
from retrieval.ports.reading import LegSearch
from tests.retrieval.indexing.world import (
    DIMENSIONS,
    IDENTITY,
    FakeChangeFeed,
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
        shard = EdgeShard.load(generation / "shard", IDENTITY)
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


ROUNDS = int(os.environ.get("ARCHIVIST_TEST_INDEX_KILLS", "5"))
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
