"""What the API asks, wired."""
# ruff: noqa: PLC0415 - torch, Qdrant and their like take seconds to import

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.graph.paths import names_to
from retrieval.bootstrap.background import in_background
from retrieval.bootstrap.indexes import open_index
from retrieval.bootstrap.models import begin_with_settings, live_models, open_embedder, open_generators, open_rerankers
from retrieval.bootstrap.records import checkpointing
from retrieval.domain.embedding_models import EmbeddingModel
from retrieval.domain.errors import Unavailable
from retrieval.model_switch import LiveModels
from retrieval.ports.graph_search import GraphSearch
from retrieval.ports.models import Embedder
from retrieval.service import KnowledgeService
from retrieval.services import Services
from retrieval.settings import Settings


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
            checkpointing(settings, catalog),
            open_index(settings, catalog, embedder, private=private_index) as (index, readiness, holds),
            live_models(settings, catalog, embedder, load, holds, reports=not private_index) as models,
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
    with in_background(follower.follow, pause_seconds=settings.index_follow_seconds):
        yield FollowingGraph(graph, follower, graph.applied_revision, settings.index_catch_up_seconds)


@contextmanager
def _learning(services: Services) -> Iterator[None]:
    """What people decide and say is learned from in the background, until the end."""
    with in_background(services.learning.upkeep, pause_seconds=services.settings.learning_upkeep_seconds):
        yield


@contextmanager
def _delivering(services: Services) -> Iterator[None]:
    """In the background, until the end: claims lapse, whoever waits is told, and owners are asked for access."""
    from retrieval.adapters.delivery.opening import open_deliverer

    pause = services.settings.escalation_sweep_seconds
    with (
        open_deliverer(services.settings, services.catalog, services.clock) as deliverer,
        in_background(deliverer.work, pause_seconds=pause),
        in_background(services.access.work, pause_seconds=pause),
    ):
        yield
