"""The application over a data directory in a process of its own, to be killed: `python -m tests.api.push_process DIRECTORY SOCKET`."""

import sys
from pathlib import Path

import uvicorn

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.settings import Settings
from tests.api.conftest import FakeClock, FakeEmbedder, ScanIndex, World
from tests.story import Story

if __name__ == "__main__":
    settings = Settings(data_directory=Path(sys.argv[1]), rate_limit_requests=0, rate_limit_application_requests=0)
    catalog = open_catalog(settings)
    story = Story(catalog)
    world = World(settings, catalog, story, ScanIndex(story, FakeEmbedder()), FakeClock())
    uvicorn.run(world.app(), uds=sys.argv[2], log_level="warning")
