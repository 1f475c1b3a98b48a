"""Models: what embeds, what reranks, what words answers."""
# ruff: noqa: PLC0415 - torch, Qdrant and their like take seconds to import

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.bootstrap.background import in_background
from retrieval.domain.audit import SERVICE
from retrieval.domain.embedding_models import EmbeddingModel
from retrieval.domain.errors import InvalidInput
from retrieval.model_switch import LiveModels
from retrieval.ports.generation import Generator
from retrieval.ports.models import Embedder, Reranker
from retrieval.settings import Settings


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


@contextmanager
def live_models(
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
    with in_background(models.refresh, pause_seconds=settings.model_refresh_seconds):
        yield models
    models.leave()
