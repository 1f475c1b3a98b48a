"""The composition root: settings in, wired objects out. The only place that picks an adapter.

Adapters with heavy libraries are imported where they are picked, so that a process pays only for what it uses.
"""

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.directory_csv import files_at as directory_files
from retrieval.adapters.directory_csv import import_directory
from retrieval.adapters.glossary_yaml import read_glossary
from retrieval.bootstrap.indexes import change_feed
from retrieval.bootstrap.ingestion import Ingestion, open_ingestion
from retrieval.bootstrap.models import (
    begin_with_settings,
    open_deferred_embedder,
    open_embedder,
    open_generators,
    open_rerankers,
    register_embedding_model,
)
from retrieval.bootstrap.records import (
    audit_public_key,
    forget_person,
    open_checkpoints,
    open_erasing,
    register_webhook,
    verified_erasure,
    write_graph,
)
from retrieval.bootstrap.service import Service, open_graph, open_service

__all__ = [
    "Catalog",
    "Ingestion",
    "Service",
    "audit_public_key",
    "begin_with_settings",
    "change_feed",
    "directory_files",
    "forget_person",
    "import_directory",
    "open_catalog",
    "open_checkpoints",
    "open_deferred_embedder",
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
