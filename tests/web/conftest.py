"""The world of the API's tests, whose catalog goes by the clock that tests move, too."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.settings import Settings
from tests.api.conftest import FakeClock, FakeEmbedder, ScanIndex, World, published
from tests.story import Story

__all__ = ["published"]


@contextmanager
def opened(published: Path, directory: Path) -> Iterator[World]:
    data = directory / "data"
    shutil.copytree(published, data)
    settings, clock = Settings(data_directory=data, answer_min_support=0.1, escalation_max_pending=1_000), FakeClock()
    catalog = open_catalog(settings, clock=clock)
    story = Story(catalog, runs=1)
    yield World(settings, catalog, story, ScanIndex(story, FakeEmbedder()), clock)
    catalog.close()


@pytest.fixture
def world(published: Path, tmp_path: Path) -> Iterator[World]:
    with opened(published, tmp_path) as world:
        yield world
