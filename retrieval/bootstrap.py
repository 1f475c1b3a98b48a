"""The composition root: settings in, wired objects out. The only file that picks an adapter.

Adapters with heavy libraries are imported where they are picked, so that a process pays only for what it uses.
"""
# ruff: noqa: PLC0415 - torch, Qdrant and their like take seconds to import

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from retrieval.adapters.blobs import FsspecBlobs
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.adapters.directory_csv import files_at as directory_files
from retrieval.adapters.directory_csv import import_directory
from retrieval.adapters.glossary_yaml import read_glossary
from retrieval.adapters.graph.paths import names_to
from retrieval.domain.errors import InvalidInput, Unavailable
from retrieval.ports.generation import Generator
from retrieval.ports.graph_search import GraphSearch
from retrieval.ports.ingestion import Blobs
from retrieval.ports.models import Embedder, Reranker
from retrieval.ports.reading import PassageSearch
from retrieval.service import KnowledgeService
from retrieval.services import Services
from retrieval.settings import Settings

if TYPE_CHECKING:
    from retrieval.adapters.catalog.audit.checkpoints import Checkpoints
    from retrieval.adapters.qdrant.edge import EdgeIndex
    from retrieval.adapters.qdrant.server import QdrantServerIndex
    from retrieval.indexing.owner import IndexOwner
    from retrieval.ports.graph import Subgraph

__all__ = [
    "Catalog",
    "Ingestion",
    "Service",
    "audit_public_key",
    "change_feed",
    "directory_files",
    "import_directory",
    "open_catalog",
    "open_checkpoints",
    "open_embedder",
    "open_generators",
    "open_graph",
    "open_ingestion",
    "open_rerankers",
    "open_service",
    "read_glossary",
    "register_webhook",
    "write_graph",
]

EDGE_FOLLOWER = "edge"
HEARTBEAT_SECONDS = 5.0


def open_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name. Raises ModelMismatch when its weights are not the ones expected."""
    from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder.from_settings(settings)


def open_deferred_embedder(settings: Settings) -> Embedder:
    """The same, loaded when it first has to work. Raises ModelMismatch at once when its weights are not there."""
    from retrieval.adapters.models.deferred import DeferredEmbedder
    from retrieval.adapters.models.known import is_known, known_tokens
    from retrieval.adapters.models.weights import find_weights

    weights = find_weights(settings.embedder_model)
    load_tokens = partial(known_tokens, weights) if is_known(weights) else None
    return DeferredEmbedder(
        weights.id, partial(open_embedder, settings), load_tokens=load_tokens, gives_tokens=is_known(weights) and settings.rerank_tokens
    )


@contextmanager
def open_rerankers(settings: Settings) -> Iterator[tuple[Reranker, ...]]:
    """The rerankers that the settings name, as they are preferred: what reads best first. Closed at the end.

    Raises:
        InvalidInput: a setting of theirs cannot be.
        ModelMismatch: the cross-encoder is not there, or is none.
    """
    from retrieval.adapters.models.rerankers import open_cohere, open_cross_encoder

    with ExitStack() as opened:
        rerankers = []
        if settings.cohere_api_key:
            rerankers.append(opened.enter_context(open_cohere(settings)))
        if settings.reranker_model:
            rerankers.append(opened.enter_context(open_cross_encoder(settings)))
        yield tuple(rerankers)


@contextmanager
def open_generators(settings: Settings) -> Iterator[tuple[Generator, ...]]:
    """The generators that the settings name, as they are preferred. Closed at the end. Raises InvalidInput for settings that cannot be."""
    from retrieval.adapters.models.generators import OPENERS

    unknown = [name for name in settings.generator_names if name not in OPENERS]
    if unknown:
        raise InvalidInput.of("ARCHIVIST_GENERATORS", "names a generator that is none", limit=", ".join(OPENERS))
    with ExitStack() as opened:
        yield tuple(opened.enter_context(OPENERS[name](settings)) for name in settings.generator_names)


def change_feed(model: str, settings: Settings | None = None) -> CatalogFeed:
    """The catalog's changes with the embeddings of one model, for a process that builds an index."""
    settings = settings or Settings()
    return CatalogFeed(open_catalog(settings).database, model, past_days=settings.as_of_max_days)


@dataclass(frozen=True)
class Ingestion:
    """What the pipeline works with. The model is loaded when it is first used: most runs find nothing to embed."""

    settings: Settings
    catalog: Catalog
    blobs: Blobs
    make_embedder: Callable[[Settings], Embedder] = field(default=open_deferred_embedder, repr=False)

    @cached_property
    def embedder(self) -> Embedder:
        return self.make_embedder(self.settings)

    def warm_up(self) -> None:
        """Load a deferred model in the background, because it is going to be needed."""
        from retrieval.adapters.models.deferred import DeferredEmbedder

        if isinstance(self.embedder, DeferredEmbedder):
            self.embedder.warm_up()

    @cached_property
    def feed(self) -> CatalogFeed:
        return CatalogFeed(self.catalog.database, self.embedder.model, past_days=self.settings.as_of_max_days)

    @cached_property
    def server_index(self) -> "QdrantServerIndex":
        return _server_index(self.settings, self.embedder)


@contextmanager
def open_ingestion(settings: Settings) -> Iterator[Ingestion]:
    """Catalog, blobs and model for one run; the catalog's connections are given back at the end."""
    catalog = open_catalog(settings)
    try:
        yield Ingestion(settings, catalog, FsspecBlobs(settings.resolved_blob_url))
    finally:
        catalog.close()


@dataclass(frozen=True, kw_only=True)
class Service(Services):
    """Everything that the API asks, with what its surroundings need to know of it."""

    token_key: bytes
    index_readiness: Callable[[], tuple[bool, str]]

    def readiness(self) -> Sequence[tuple[str, bool, str]]:
        """(part, whether it is ready, why not). Says nothing that counts documents."""
        try:
            self.catalog.check()
            catalog = ("catalog", True, "readable")
        except Unavailable as error:
            catalog = ("catalog", False, str(error))
        return [catalog, ("index", *self.index_readiness()), ("model", True, self.knowledge.embedder.model)]


@contextmanager
def open_service(settings: Settings, *, private_index: bool = False) -> Iterator[Service]:
    """The read path over the index that the settings name. With the embedded index this process owns it until the end.

    With `private_index` it builds an embedded index of its own from the catalog, gone at the end, and takes nothing from whoever serves.

    Raises:
        IndexUnavailable: another process owns the embedded index.
        CatalogUnavailable, Conflict, ModelMismatch: from opening the parts.
    """
    catalog = open_catalog(settings)
    try:
        embedder = open_embedder(settings)
        with (
            _checkpointing(settings, catalog),
            _index(settings, catalog, embedder, private=private_index) as (index, readiness),
            open_rerankers(settings) as rerankers,
            open_graph(settings, catalog) as walks,
            open_generators(settings) as generators,
        ):
            knowledge = KnowledgeService(
                settings,
                catalog.gate,
                catalog.gate,
                catalog.documents,
                index,
                embedder,
                catalog.audit,
                tokens=catalog.token_vectors,
                rerankers=rerankers,
                walks=walks,
                way=names_to,
            )
            service = Service(
                settings=settings,
                catalog=catalog,
                knowledge=knowledge,
                generators=generators,
                token_key=catalog.database.secret("consistency tokens"),
                index_readiness=readiness,
            )
            with _learning(service), nullcontext() if private_index else _delivering(service):
                yield service
    finally:
        catalog.close()


@contextmanager
def open_graph(settings: Settings, catalog: Catalog) -> Iterator[GraphSearch]:
    """The knowledge graph in this process's memory, which follows the catalog until the end. It is loaded in the background."""
    from retrieval.adapters.graph.memory import MemoryGraph
    from retrieval.indexing.graph import FollowingGraph, GraphFollower

    graph = MemoryGraph()
    follower = GraphFollower(catalog.graph_feed, graph, batch_documents=settings.graph_batch_documents)
    with _in_background(follower.follow, pause_seconds=settings.index_follow_seconds):
        yield FollowingGraph(graph, follower, graph.applied_revision, settings.index_catch_up_seconds)


@contextmanager
def _learning(services: Services) -> Iterator[None]:
    """What people decide and say is learned from in the background, until the end."""
    with _in_background(services.learning.upkeep, pause_seconds=services.settings.learning_upkeep_seconds):
        yield


@contextmanager
def _in_background(work: Callable[[], None], *, pause_seconds: float) -> Iterator[None]:
    """`work` again and again in a thread of its own, until the end."""
    from retrieval.indexing.thread import FollowerThread

    thread = FollowerThread(work, pause_seconds=pause_seconds)
    thread.start()
    try:
        yield
    finally:
        thread.stop()


@contextmanager
def _delivering(services: Services) -> Iterator[None]:
    """In the background, until the end: claims lapse, whoever waits is told, and owners are asked for access."""
    from retrieval.adapters.delivery.opening import open_deliverer

    pause = services.settings.escalation_sweep_seconds
    with (
        open_deliverer(services.settings, services.catalog, services.clock) as deliverer,
        _in_background(deliverer.work, pause_seconds=pause),
        _in_background(services.access.work, pause_seconds=pause),
    ):
        yield


def register_webhook(settings: Settings, catalog: Catalog, application: str, url: str, *, secret: str) -> str | None:
    """Where an application is told that a question is closed. Returns the secret if one was made. Raises InvalidInput."""
    from retrieval.adapters.delivery import registering

    return registering.register_webhook(catalog.webhooks, settings, application, url, secret=secret)


def open_checkpoints(settings: Settings, catalog: Catalog) -> "Checkpoints":
    """Where the audit log's checkpoints go, with the key that signs them, which is made if there is none. Raises Conflict."""
    from retrieval.adapters.catalog.audit.checkpoints import Checkpoints
    from retrieval.adapters.catalog.audit.signing import signing_key

    key = signing_key(settings.resolved_audit_signing_key_file)
    return Checkpoints(catalog.database, settings.resolved_audit_checkpoint_file, key)


def audit_public_key(settings: Settings) -> str:
    """What a verifier elsewhere has to know: 64 hexadecimal digits. Raises Conflict."""
    from retrieval.adapters.catalog.audit.signing import public_key, signing_key

    return public_key(signing_key(settings.resolved_audit_signing_key_file))


def write_graph(graph: "Subgraph", path: Path, *, format_: str) -> None:
    """Write what a principal may see of the knowledge graph to a file, as `graphml` or `json`. Raises InvalidInput."""
    from retrieval.adapters import graph_files

    graph_files.write_graph(graph, path, format_=format_)


@contextmanager
def _checkpointing(settings: Settings, catalog: Catalog) -> Iterator[None]:
    from retrieval.adapters.catalog.audit.checkpointing import Checkpointing

    thread = Checkpointing(
        open_checkpoints(settings, catalog), records=settings.audit_checkpoint_records, seconds=settings.audit_checkpoint_seconds
    )
    thread.start()
    try:
        yield
    finally:
        thread.stop()


Index = tuple[PassageSearch, Callable[[], tuple[bool, str]]]


@contextmanager
def _index(settings: Settings, catalog: Catalog, embedder: Embedder, *, private: bool) -> Iterator[Index]:
    if settings.index_backend == "server":
        yield _searching_server(settings, embedder)
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

    with closing(owner), _in_background(follow, pause_seconds=settings.index_follow_seconds):
        yield FollowingSearch(index, lambda _needed: owner.catch_up(settings.index_catch_up_seconds)), readiness


@contextmanager
def _private_edge(settings: Settings, catalog: Catalog, embedder: Embedder) -> Iterator[Index]:
    from retrieval.indexing.following import FollowingSearch

    settings.data_directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="private-index-", dir=settings.data_directory.absolute()) as directory:
        index, owner = _edge(settings, catalog, embedder, Path(directory))
        try:
            owner.rebuild()
            yield FollowingSearch(index, lambda _needed: owner.catch_up(settings.index_catch_up_seconds)), lambda: (True, "private")
        finally:
            owner.close()


def _edge(settings: Settings, catalog: Catalog, embedder: Embedder, directory: Path) -> "tuple[EdgeIndex, IndexOwner]":
    from retrieval.adapters.qdrant.collection import IndexIdentity
    from retrieval.adapters.qdrant.edge import EdgeIndex
    from retrieval.adapters.qdrant.planner import DenseLimits
    from retrieval.indexing.builder import SubprocessBuilder
    from retrieval.indexing.owner import IndexOwner

    identity = IndexIdentity(embedder.model, embedder.dimensions)
    limits = DenseLimits(exact_passages=settings.index_exact_passages)
    index = EdgeIndex.open(directory, identity, limits=limits, flush_seconds=settings.index_flush_seconds)
    owner = IndexOwner(
        CatalogFeed(catalog.database, embedder.model, past_days=settings.as_of_max_days),
        index,
        SubprocessBuilder(identity, environment=settings.as_environment(), exact_milliseconds=settings.index_exact_milliseconds),
        batch_documents=settings.index_batch_documents,
        renew_after_passages=settings.index_optimise_after_passages,
    )
    return index, owner


def _searching_server(settings: Settings, embedder: Embedder) -> Index:
    from retrieval.indexing.following import FollowingSearch
    from retrieval.indexing.remote import wait_until_applied

    index = _server_index(settings, embedder)

    def catch_up(needed: int) -> None:
        if needed:
            wait_until_applied(index.applied_revision, needed, seconds=settings.index_catch_up_seconds)

    def readiness() -> tuple[bool, str]:
        try:
            return (False, "the index has not been built") if index.needs_build else (True, "served by Qdrant")
        except Unavailable as error:
            return False, str(error)

    return FollowingSearch(index, catch_up), readiness


def _server_index(settings: Settings, embedder: Embedder) -> "QdrantServerIndex":
    from qdrant_client import QdrantClient

    from retrieval.adapters.qdrant.collection import IndexIdentity
    from retrieval.adapters.qdrant.planner import DenseLimits
    from retrieval.adapters.qdrant.server import QdrantServerIndex

    client = QdrantClient(url=settings.qdrant_url, api_key=settings.qdrant_api_key or None, timeout=settings.qdrant_timeout_seconds)
    identity = IndexIdentity(embedder.model, embedder.dimensions)
    limits = DenseLimits(exact_passages=settings.index_exact_passages)
    return QdrantServerIndex(client, settings.qdrant_collection, identity, limits=limits)
