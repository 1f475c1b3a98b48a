"""The index that the settings name: the embedded engine of this process, or a server."""
# ruff: noqa: PLC0415 - torch, Qdrant and their like take seconds to import

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.bootstrap.background import in_background
from retrieval.domain.embedding_models import SEARCHED, ModelState
from retrieval.domain.errors import Unavailable
from retrieval.ports.models import Embedder
from retrieval.ports.reading import PassageSearch
from retrieval.settings import Settings

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

    from retrieval.adapters.qdrant.collection import IndexIdentity
    from retrieval.adapters.qdrant.edge import EdgeIndex
    from retrieval.adapters.qdrant.server import QdrantServerIndex
    from retrieval.indexing.owner import IndexOwner


EDGE_FOLLOWER = "edge"
HEARTBEAT_SECONDS = 5.0
Index = tuple[PassageSearch, Callable[[], tuple[bool, str]], Callable[[str], bool]]
"""The index, whether it is ready, and whether it holds a model's vectors."""


def change_feed(model: str, settings: Settings | None = None) -> CatalogFeed:
    """The catalog's changes with the embeddings of one model, for a process that builds an index."""
    settings = settings or Settings()
    return CatalogFeed(open_catalog(settings).database, model, past_days=settings.as_of_max_days)


def wanted_identity(catalog: Catalog, embedder: Embedder) -> "IndexIdentity":
    """What an index should hold now."""
    from retrieval.adapters.qdrant.collection import IndexIdentity

    found = [model for model in catalog.embedding_models.all() if model.state in SEARCHED]
    live = next((model for model in found if model.state is ModelState.LIVE), None)
    if live is None:
        return IndexIdentity(embedder.model, embedder.dimensions)
    beside = sorted((model.id, model.dimensions) for model in found if model is not live)
    return IndexIdentity(live.id, live.dimensions, beside=tuple(beside))


@contextmanager
def open_index(settings: Settings, catalog: Catalog, embedder: Embedder, *, private: bool) -> Iterator[Index]:
    if settings.index_backend == "server":
        yield _searching_server(settings, catalog, embedder)
    else:
        with (_private_edge if private else _owning_edge)(settings, catalog, embedder) as index:
            yield index


@contextmanager
def _owning_edge(settings: Settings, catalog: Catalog, embedder: Embedder) -> Iterator[Index]:
    from retrieval.indexing.following import FollowingSearch

    index, owner = _edge(settings, catalog, embedder, settings.index_directory)
    heard_at = 0.0
    reported = -1

    def follow() -> None:
        nonlocal heard_at, reported
        try:
            index.want(wanted_identity(catalog, embedder))
            owner.follow()
        finally:
            applied = index.applied_revision()
            if applied != reported or time.monotonic() - heard_at >= HEARTBEAT_SECONDS:
                state, passages = ("building", 0) if index.needs_build else ("ready", index.passages())
                if catalog.index_state.report(
                    EDGE_FOLLOWER, applied_revision=applied, generation=index.generation, passages=passages, state=state
                ):
                    catalog.index_state.rebuild_started(EDGE_FOLLOWER)
                    owner.renew()
                heard_at, reported = time.monotonic(), applied

    def readiness() -> tuple[bool, str]:
        return not index.needs_build, index.why_not if index.needs_build else "following the catalog"

    with closing(owner), in_background(follow, pause_seconds=settings.index_follow_seconds):
        yield FollowingSearch(index, lambda _needed: owner.catch_up(settings.index_catch_up_seconds)), readiness, index.holds


@contextmanager
def _private_edge(settings: Settings, catalog: Catalog, embedder: Embedder) -> Iterator[Index]:
    from retrieval.indexing.following import FollowingSearch

    settings.data_directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="private-index-", dir=settings.data_directory.absolute()) as directory:
        index, owner = _edge(settings, catalog, embedder, Path(directory))
        try:
            owner.rebuild()
            yield (
                FollowingSearch(index, lambda _needed: owner.catch_up(settings.index_catch_up_seconds)),
                lambda: (True, "private"),
                index.holds,
            )
        finally:
            owner.close()


def _edge(settings: Settings, catalog: Catalog, embedder: Embedder, directory: Path) -> "tuple[EdgeIndex, IndexOwner]":
    from retrieval.adapters.qdrant.edge import EdgeIndex
    from retrieval.adapters.qdrant.planner import DenseLimits
    from retrieval.indexing.builder import SubprocessBuilder, WantedBuilder
    from retrieval.indexing.owner import IndexOwner

    identity = wanted_identity(catalog, embedder)
    limits = DenseLimits(exact_passages=settings.index_exact_passages)
    index = EdgeIndex.open(directory, identity, limits=limits, flush_seconds=settings.index_flush_seconds)
    builder = SubprocessBuilder(identity, environment=settings.as_environment(), exact_milliseconds=settings.index_exact_milliseconds)
    owner = IndexOwner(
        CatalogFeed(catalog.database, embedder.model, past_days=settings.as_of_max_days),
        index,
        WantedBuilder(lambda: builder.of(index.identity)),
        batch_documents=settings.index_batch_documents,
        renew_after_passages=settings.index_optimise_after_passages,
    )
    return index, owner


def _searching_server(settings: Settings, catalog: Catalog, embedder: Embedder) -> Index:
    from retrieval.indexing.following import FollowingSearch
    from retrieval.indexing.remote import wait_until_applied

    index = server_index(settings, qdrant_client(settings), wanted_identity(catalog, embedder))

    def catch_up(needed: int) -> None:
        if needed:
            wait_until_applied(index.applied_revision, needed, seconds=settings.index_catch_up_seconds)

    def readiness() -> tuple[bool, str]:
        try:
            return (True, "served by Qdrant") if index.is_built else (False, "the index has not been built")
        except Unavailable as error:
            return False, str(error)

    return FollowingSearch(index, catch_up), readiness, index.holds


def server_index(settings: Settings, client: "QdrantClient", identity: "IndexIdentity") -> "QdrantServerIndex":
    from retrieval.adapters.qdrant.planner import DenseLimits
    from retrieval.adapters.qdrant.server import QdrantServerIndex

    limits = DenseLimits(exact_passages=settings.index_exact_passages)
    return QdrantServerIndex(client, settings.qdrant_collection, identity, limits=limits)


def qdrant_client(settings: Settings) -> "QdrantClient":
    from qdrant_client import QdrantClient

    return QdrantClient(url=settings.qdrant_url, api_key=settings.qdrant_api_key or None, timeout=settings.qdrant_timeout_seconds)
