"""Going back to the state before a bad run of 5,000 documents: until the catalog says so, and until searches show it."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.versions import RollbackRequest
from retrieval.indexing.follower import Follower
from retrieval.settings import Settings
from tests import postgres
from tests.benchmarks.report import Figure, Goal, Measured
from tests.benchmarks.world import World
from tests.retrieval.indexing.world import InProcessBuilder, owner_of
from tests.story import MODEL, Story, allow

DOCUMENTS = 5_000
DIMENSIONS = 384
PAST_DAYS = 30
CLASSES = 20


def measure(world: World) -> Measured:
    folder = world.emptied("rollback")
    documents = world.count(DOCUMENTS, 60)
    figures, details = [], {}
    with _databases(folder) as urls:
        for name, url in urls.items():
            with closing(open_catalog(Settings(catalog_url=url))) as catalog:
                planned, catalog_seconds, searchable_seconds = _measured(catalog, folder / f"index-{name}", documents)
            figures += [
                Figure(f"rollback of {documents:,} documents, {name}, catalog", catalog_seconds, "s", Goal("at most", 5)),
                Figure(f"rollback of {documents:,} documents, {name}, until searches show it", searchable_seconds, "s"),
            ]
            details[name] = {"dry run in seconds": round(planned, 2)}
    return Measured(figures, details)


def _measured(catalog: Catalog, directory: Path, documents: int) -> tuple[float, float, float]:
    """Seconds of the dry run, of the rollback, and from its beginning until the embedded index has applied it."""
    story = Story(catalog, dimensions=DIMENSIONS)
    story.sync(_files(documents, "good"))
    bad = story.sync(_files(documents, "bad"))
    identity = IndexIdentity(MODEL, DIMENSIONS)
    feed = CatalogFeed(catalog.database, MODEL, past_days=PAST_DAYS)
    with closing(EdgeIndex.open(directory, identity)) as index:
        owner_of(index, feed, InProcessBuilder(feed, identity)).rebuild()
        request = RollbackRequest(source=story.source, before_run=bad.id)
        began = time.perf_counter()
        plan = catalog.rollback.plan(request, model=MODEL)
        planned = time.perf_counter() - began
        if plan.counts["restored"] != documents:
            raise AssertionError(f"not every document would go back: {plan.counts}")
        began = time.perf_counter()
        done = catalog.rollback.roll_back(request, model=MODEL, by="user:dana")
        in_catalog = time.perf_counter() - began
        Follower(feed, index, batch_documents=200).catch_up(None)
        if index.applied_revision() < done.revision:
            raise AssertionError("the index has not followed")
        return planned, in_catalog, time.perf_counter() - began


def _files(documents: int, word: str) -> dict[str, tuple[str, AccessPolicy]]:
    readers = [allow(f"group:g{number}") for number in range(CLASSES)]
    return {
        f"folder/{number}.md": (f"Document {number} is {word}. It says {word} {number}.", readers[number % CLASSES])
        for number in range(documents)
    }


@contextmanager
def _databases(folder: Path) -> Iterator[dict[str, str]]:
    """An empty catalog on each database that there is here."""
    urls = {"SQLite": f"sqlite:///{folder / 'catalog.db'}"}
    if postgres.missing():
        yield urls
        return
    with postgres.cluster() as server:
        with psycopg.connect(server.replace("+psycopg", "") + "/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE rollback")
        yield urls | {"PostgreSQL": f"{server}/rollback"}
