"""The composition root: settings in, wired objects out. The only file that picks an adapter.

Adapters with heavy libraries are imported where they are picked, so that a process pays only for what it uses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from retrieval.adapters.blobs import FsspecBlobs
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.ports.ingestion import Blobs
from retrieval.ports.models import Embedder
from retrieval.settings import Settings

__all__ = ["Catalog", "Ingestion", "open_catalog", "open_embedder", "open_ingestion"]


@dataclass(frozen=True)
class Ingestion:
    """What the pipeline works with."""

    settings: Settings
    catalog: Catalog
    blobs: Blobs
    embedder: Embedder
    feed: CatalogFeed


def open_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name. Raises ModelMismatch when its weights are not the ones expected."""
    from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder  # noqa: PLC0415 - torch takes seconds

    return SentenceTransformerEmbedder.from_settings(settings)


@contextmanager
def open_ingestion(settings: Settings) -> Iterator[Ingestion]:
    """Catalog, blobs and model for one run; the catalog's connections are given back at the end."""
    catalog = open_catalog(settings)
    try:
        embedder = open_embedder(settings)
        yield Ingestion(settings, catalog, FsspecBlobs(settings.resolved_blob_url), embedder, CatalogFeed(catalog.database, embedder.model))
    finally:
        catalog.close()
