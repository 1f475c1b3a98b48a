"""The rerankers that settings name, each behind a guard of its own."""
# ruff: noqa: PLC0415 - the libraries take seconds to import, and most processes use none

from collections.abc import Iterator
from contextlib import closing, contextmanager

from retrieval.adapters.models.guarded_reranker import GuardedReranker
from retrieval.adapters.models.guards import guard_of
from retrieval.adapters.models.weights import find_weights
from retrieval.domain.sources import Classification
from retrieval.ports.models import Reranker
from retrieval.settings import Settings


@contextmanager
def open_cohere(settings: Settings) -> Iterator[Reranker]:
    """Raises InvalidInput for a key or URL that cannot be."""
    from retrieval.adapters.models.cohere_access import CohereAccess
    from retrieval.adapters.models.cohere_reranker import CohereLimits, CohereReranker

    access = CohereAccess(
        model=settings.cohere_rerank_model,
        key=settings.cohere_api_key,
        base_url=settings.cohere_base_url,
        most_sensitive=Classification(settings.cohere_max_classification),
    )
    limits = CohereLimits(
        passages=settings.cohere_max_passages,
        characters=settings.cohere_max_characters,
        seconds=settings.cohere_timeout_seconds,
        response_bytes=settings.cohere_max_response_bytes,
    )
    with closing(CohereReranker(access, limits)) as reranker:
        yield GuardedReranker(reranker, guard_of(reranker.name, settings))


@contextmanager
def open_cross_encoder(settings: Settings) -> Iterator[Reranker]:
    """Raises ModelMismatch when the model is not there, or is no cross-encoder."""
    from retrieval.adapters.models.cross_encoder import CrossEncoderReranker

    opened = CrossEncoderReranker(
        find_weights(settings.reranker_model, setting="ARCHIVIST_RERANKER_MODEL"),
        dtype=settings.reranker_dtype,
        batch_passages=settings.reranker_batch_passages,
        max_tokens=settings.reranker_max_tokens,
        threads=settings.reranker_threads,
    )
    with closing(opened) as reranker:
        yield GuardedReranker(reranker, guard_of(reranker.name, settings))
