"""What the pipeline works with."""
# ruff: noqa: PLC0415 - torch, Qdrant and their like take seconds to import

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from retrieval.adapters.blobs import FsspecBlobs
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.bootstrap.indexes import qdrant_client, server_index, wanted_identity
from retrieval.bootstrap.models import open_deferred_embedder
from retrieval.domain.embedding_models import EMBEDDING, EmbeddingModel, ModelState
from retrieval.ports.ingestion import Blobs
from retrieval.ports.models import Embedder
from retrieval.settings import Settings

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

    from retrieval.adapters.qdrant.server import QdrantServerIndex


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
        return server_index(self.settings, self._server, wanted_identity(self.catalog, self.embedder))

    @cached_property
    def _server(self) -> "QdrantClient":
        return qdrant_client(self.settings)


@contextmanager
def open_ingestion(settings: Settings) -> Iterator[Ingestion]:
    """Catalog, blobs and model for one run; the catalog's connections are given back at the end."""
    catalog = open_catalog(settings)
    try:
        yield Ingestion(settings, catalog, FsspecBlobs(settings.resolved_blob_url))
    finally:
        catalog.close()
