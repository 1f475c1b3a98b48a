"""A push, the real daemon with its sensor, and a search that finds it: nobody starts a run."""

import os
import sys
import time
from pathlib import Path

import pytest

from pipelines.home import dagster_environment
from retrieval.adapters.blobs import FsspecBlobs
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.bootstrap import open_service
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.pushing import PushState
from retrieval.domain.queries import Query
from retrieval.domain.sources import SourceSpec
from retrieval.push_service import Push, PushService
from retrieval.settings import Settings
from tests.benchmarks.processes import log_files, running, tail
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.models, pytest.mark.slow]

CRM = Principal("crm", PrincipalKind.APP, sources=frozenset({"crm"}))
PUBLISHED_SECONDS = 240


def wait_until_published(catalog: Catalog, *keys: str) -> bool:
    end = time.monotonic() + PUBLISHED_SECONDS
    while time.monotonic() < end:
        if all(catalog.pushed.status("crm", key).state is PushState.PUBLISHED for key in keys):
            return True
        time.sleep(0.2)
    return False


def test_what_is_pushed_is_found_by_those_it_was_pushed_for_and_one_run_takes_many(tmp_path: Path) -> None:
    settings = Settings(data_directory=tmp_path / "archivist", dagster_port=free_port(), index_wait_seconds=0)
    catalog = open_catalog(settings)
    catalog.sources.register(SourceSpec("crm", "push", "Offers", "user:dana"), by="user:dana")
    pushing = PushService(settings, catalog.pushed, FsspecBlobs(settings.resolved_blob_url))
    keys = [f"offers/{number}.txt" for number in range(5)]
    for key in keys:
        pushing.put(CRM, "crm", key, Push(f"The offer {key} for the lighthouse holds for 30 days.".encode(), ["user:ann"], title="Offer"))
    command = [sys.executable, "-m", "pipelines.serve"]
    output, errors = log_files(tmp_path / "logs", command)

    with running(command, environment=os.environ | dagster_environment(settings), output=output, errors=errors):
        assert wait_until_published(catalog, *keys), tail(errors, output)

    with open_service(settings, private_index=True) as service:
        found = {
            who: service.knowledge.retrieve(Principal(who), Query("offer for the lighthouse", top_k=10, depth=20), request_id=None)
            for who in ("ann", "bob")
        }
        pushing.delete(CRM, "crm", keys[0])
        after = service.knowledge.retrieve(Principal("ann"), Query("offer for the lighthouse", top_k=10, depth=20), request_id=None)
    runs = catalog.runs.runs("crm")
    catalog.close()

    assert {hit.passage.title for hit in found["ann"].hits} == {"Offer"}
    assert found["bob"].hits == ()
    assert len(found["ann"].hits) - len(after.hits) <= 1
    assert not any(keys[0] in hit.passage.text for hit in after.hits)
    assert len(runs) <= 2
