"""The composition root: settings in, wired objects out. The only file that picks an adapter.

Adapters with heavy libraries are imported where they are picked, so that a process pays only for what it uses.
"""
# ruff: noqa: PLC0415 - torch, Qdrant and their like take seconds to import

import os
import socket
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
from retrieval.domain.audit import SERVICE
from retrieval.domain.embedding_models import EMBEDDING, SEARCHED, EmbeddingModel, ModelState
from retrieval.domain.errors import InvalidInput, Unavailable
from retrieval.model_switch import LiveModels
from retrieval.ports.generation import Generator
from retrieval.ports.graph_search import GraphSearch
from retrieval.ports.ingestion import Blobs
from retrieval.ports.models import Embedder, Reranker
from retrieval.ports.reading import PassageSearch
from retrieval.service import KnowledgeService
from retrieval.services import Services
from retrieval.settings import Settings
from retrieval.version_service import Erasing

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

    from retrieval.adapters.catalog.audit.checkpoints import Checkpoints
    from retrieval.adapters.qdrant.collection import IndexIdentity
    from retrieval.adapters.qdrant.edge import EdgeIndex
    from retrieval.adapters.qdrant.server import QdrantServerIndex
    from retrieval.domain.erasure import ErasureReport
    from retrieval.indexing.owner import IndexOwner
    from retrieval.ports.graph import Subgraph

__all__ = [
    "Catalog",
    "Ingestion",
    "Service",
    "audit_public_key",
    "begin_with_settings",
    "change_feed",
    "directory_files",
    "import_directory",
    "open_catalog",
    "open_checkpoints",
    "forget_person",
    "open_embedder",
    "open_erasing",
    "open_generators",
    "open_graph",
    "open_ingestion",
    "open_rerankers",
    "open_service",
    "read_glossary",
    "register_embedding_model",
    "register_webhook",
    "verified_erasure",
    "write_graph",
]

EDGE_FOLLOWER = "edge"
HEARTBEAT_SECONDS = 5.0


def open_embedder(settings: Settings, model: EmbeddingModel | None = None) -> Embedder:
    """A registered model, or without one that of the settings. Raises ModelMismatch when its files are not the ones expected."""
    from retrieval.adapters.models.opening import load_embedder

    return load_embedder(settings, model)


def open_deferred_embedder(settings: Settings, model: EmbeddingModel | None = None) -> Embedder:
    """The same, loaded when it first has to work. Raises ModelMismatch at once when its weights are not there."""
    from retrieval.adapters.models.opening import defer_embedder

    return defer_embedder(settings, model)


def register_embedding_model(settings: Settings, catalog: Catalog, reference: str, *, by: str) -> EmbeddingModel:
    """Make a model of the models' directory a candidate. Raises InvalidInput for one that is not there, Conflict for changed files."""
    from retrieval.adapters.models.opening import described

    begin_with_settings(settings, catalog)
    return catalog.embedding_models.register(described(settings, reference, by=by))


def begin_with_settings(
    settings: Settings, catalog: Catalog, load: Callable[[Settings, EmbeddingModel | None], Embedder] = open_embedder
) -> EmbeddingModel:
    """The live model; where none ever was, that of the settings becomes it."""
    from retrieval.adapters.models.opening import first_model

    live = catalog.embedding_models.live()
    return live or catalog.embedding_models.begin(first_model(settings, load(settings, None), by=SERVICE.subject))


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
    make_model: Callable[[Settings, EmbeddingModel], Embedder] = field(default=open_deferred_embedder, repr=False)
    _models: dict[str, Embedder] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def embedder(self) -> Embedder:
        """By the live model; by that of the settings where none was ever live."""
        return self.by(self.catalog.embedding_models.live())

    @property
    def models_beside(self) -> list[EmbeddingModel]:
        """The models that are prepared beside the live one: new texts are embedded by them too."""
        models = self.catalog.embedding_models.all()
        return [model for model in models if model.state in EMBEDDING and model.state is not ModelState.LIVE]

    def by(self, model: EmbeddingModel | None) -> Embedder:
        """By a registered model, or by that of the settings. Raises ModelMismatch when its files are not what they were."""
        if model is None:
            return self._of_settings
        if model.id not in self._models:
            self._models[model.id] = self.make_model(self.settings, model)
        return self._models[model.id]

    @cached_property
    def _of_settings(self) -> Embedder:
        return self.make_embedder(self.settings)

    def warm_up(self) -> None:
        """Load a deferred model in the background, because it is going to be needed."""
        from retrieval.adapters.models.deferred import DeferredEmbedder

        embedder = self.embedder
        if isinstance(embedder, DeferredEmbedder):
            embedder.warm_up()

    @property
    def feed(self) -> CatalogFeed:
        return CatalogFeed(self.catalog.database, self.embedder.model, past_days=self.settings.as_of_max_days)

    @property
    def server_index(self) -> "QdrantServerIndex":
        """As it should be now: with vectors of every model that is searched."""
        return _server_index(self.settings, self._server, _wanted(self.catalog, self.embedder))

    @cached_property
    def _server(self) -> "QdrantClient":
        return _qdrant(self.settings)


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
    models: LiveModels

    def readiness(self) -> Sequence[tuple[str, bool, str]]:
        """(part, whether it is ready, why not). Says nothing that counts documents."""
        try:
            self.catalog.check()
            catalog = ("catalog", True, "readable")
        except Unavailable as error:
            catalog = ("catalog", False, str(error))
        return [catalog, ("index", *self.index_readiness()), ("model", True, self.models.serving(0).embedder.model)]


@contextmanager
def open_service(
    settings: Settings,
    *,
    private_index: bool = False,
    load: Callable[[Settings, EmbeddingModel | None], Embedder] | None = None,
) -> Iterator[Service]:
    """The read path over the index that the settings name. With the embedded index this process owns it until the end.

    With `private_index` it builds an embedded index of its own from the catalog, gone at the end, and takes nothing from whoever serves.
    `load` makes embedders; without it models are loaded from their files.

    Raises:
        IndexUnavailable: another process owns the embedded index.
        CatalogUnavailable, Conflict, ModelMismatch: from opening the parts.
    """
    load = load or open_embedder
    catalog = open_catalog(settings)
    try:
        embedder = load(settings, catalog.embedding_models.live())
        begin_with_settings(settings, catalog, lambda _settings, _model: embedder)
        with (
            _checkpointing(settings, catalog),
            _index(settings, catalog, embedder, private=private_index) as (index, readiness, holds),
            _live_models(settings, catalog, embedder, load, holds, reports=not private_index) as models,
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
                models=models,
                sources=catalog.health,
                way=names_to,
            )
            service = Service(
                settings=settings,
                catalog=catalog,
                knowledge=knowledge,
                generators=generators,
                token_key=catalog.database.secret("consistency tokens"),
                index_readiness=readiness,
                models=models,
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


def open_erasing(settings: Settings, catalog: Catalog, blobs: Blobs) -> Erasing:
    """What removes documents for good, with the key that signs its reports. Raises Conflict."""
    from retrieval.adapters.catalog.audit.signing import signing_key
    from retrieval.adapters.catalog.versions.reports import signed, write_report

    key = signing_key(settings.resolved_audit_signing_key_file)
    return Erasing(
        erasure=catalog.erasure,
        blobs=blobs,
        followers=catalog.index_state,
        forget=partial(forget_person, catalog),
        sign=lambda report: signed(report, key),
        keep=lambda report: write_report(report, settings.erasure_directory),
    )


def forget_person(catalog: Catalog, subject: str, by: str) -> dict[str, int]:
    """Delete what is kept of a person's own questions. How many of each kind."""
    escalations = catalog.escalation_sweep.forget_asker(subject)  # first: what is decided there would be learned again
    return {
        "escalations asked": escalations,
        "answers received": catalog.learning.forgetting.forget(subject, by=by),
        "verdicts given": catalog.verdicts.forget(subject),
    }


def verified_erasure(file: Path, public: str) -> "ErasureReport | None":
    """The report in a file, if the owner of the public key (64 hexadecimal digits) signed it as it is. Raises InvalidInput."""
    from retrieval.adapters.catalog.versions.reports import is_signed_by, read_report

    report = read_report(file)
    return report if is_signed_by(report, public) else None


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


Index = tuple[PassageSearch, Callable[[], tuple[bool, str]], Callable[[str], bool]]
"""The index, whether it is ready, and whether it holds a model's vectors."""


@contextmanager
def _live_models(
    settings: Settings,
    catalog: Catalog,
    embedder: Embedder,
    load: Callable[[Settings, EmbeddingModel | None], Embedder],
    holds: Callable[[str], bool],
    *,
    reports: bool,
) -> Iterator[LiveModels]:
    """The models that this process can embed queries by, until the end. It prepares in the background what may become live."""
    models = LiveModels(
        catalog.embedding_models,
        catalog.model_readers if reports else None,
        load=partial(load, settings),
        holds=holds,
        first=embedder,
        name=f"{socket.gethostname()}:{os.getpid()}",
    )
    with _in_background(models.refresh, pause_seconds=settings.model_refresh_seconds):
        yield models
    models.leave()


def _wanted(catalog: Catalog, embedder: Embedder) -> "IndexIdentity":
    """What an index should hold now."""
    from retrieval.adapters.qdrant.collection import IndexIdentity

    found = [model for model in catalog.embedding_models.all() if model.state in SEARCHED]
    live = next((model for model in found if model.state is ModelState.LIVE), None)
    if live is None:
        return IndexIdentity(embedder.model, embedder.dimensions)
    beside = sorted((model.id, model.dimensions) for model in found if model is not live)
    return IndexIdentity(live.id, live.dimensions, beside=tuple(beside))


@contextmanager
def _index(settings: Settings, catalog: Catalog, embedder: Embedder, *, private: bool) -> Iterator[Index]:
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
            index.want(_wanted(catalog, embedder))
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

    identity = _wanted(catalog, embedder)
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

    index = _server_index(settings, _qdrant(settings), _wanted(catalog, embedder))

    def catch_up(needed: int) -> None:
        if needed:
            wait_until_applied(index.applied_revision, needed, seconds=settings.index_catch_up_seconds)

    def readiness() -> tuple[bool, str]:
        try:
            return (True, "served by Qdrant") if index.is_built else (False, "the index has not been built")
        except Unavailable as error:
            return False, str(error)

    return FollowingSearch(index, catch_up), readiness, index.holds


def _server_index(settings: Settings, client: "QdrantClient", identity: "IndexIdentity") -> "QdrantServerIndex":
    from retrieval.adapters.qdrant.planner import DenseLimits
    from retrieval.adapters.qdrant.server import QdrantServerIndex

    limits = DenseLimits(exact_passages=settings.index_exact_passages)
    return QdrantServerIndex(client, settings.qdrant_collection, identity, limits=limits)


def _qdrant(settings: Settings) -> "QdrantClient":
    from qdrant_client import QdrantClient

    return QdrantClient(url=settings.qdrant_url, api_key=settings.qdrant_api_key or None, timeout=settings.qdrant_timeout_seconds)
