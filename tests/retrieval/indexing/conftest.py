"""A small catalog and an index directory, for the tests of who keeps the one true to the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.adapters.qdrant.edge import EdgeIndex
from tests.retrieval.indexing.world import IDENTITY, FakeChangeFeed, document


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
