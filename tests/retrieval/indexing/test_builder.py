"""Builds in a process of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.domain.errors import IndexUnavailable
from retrieval.indexing.builder import SubprocessBuilder
from retrieval.ports.reading import LegSearch
from tests.retrieval.indexing.world import (
    DIMENSIONS,
    IDENTITY,
    FakeChangeFeed,
    contents_of,
    held,
    owner_of,
    vector_of,
)

ROOT = Path(__file__).parents[3]
SEARCH = LegSearch("lantern", vector_of("lantern"), 10)


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
