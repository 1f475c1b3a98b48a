"""`pipelines.sync` with the embedder that needs no weights, for a test that kills it. Arguments: journal, source. Says when it begins."""

import sys
from pathlib import Path

from pipelines import sync
from retrieval.settings import Settings
from tests.pipelines.dagster.conftest import FakeEmbedder, workbench_with

if __name__ == "__main__":
    workbench = workbench_with(Settings(), FakeEmbedder(Path(sys.argv[1])))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.exit(sync.main([sys.argv[2], "--json"], workbench=workbench))
