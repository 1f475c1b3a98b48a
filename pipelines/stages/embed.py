"""Embed what has no embedding yet, longest texts together, so that the model is kept busy and nothing is embedded twice."""

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from retrieval.domain.ingestion import EmbeddingWork
from retrieval.ports.ingestion import EmbeddingStore, TokenStore
from retrieval.ports.models import Embedder, TokenVectors, Vectors, token_embedder

WINDOW_PASSAGES = 512
"""Passages held in memory and sorted by length at once."""


def embed_missing(
    store: EmbeddingStore,
    embedder: Embedder,
    source: str,
    *,
    tokens: TokenStore | None = None,
    past: bool = False,
    window: int = WINDOW_PASSAGES,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """Embed the source's texts that have no embedding under this model, or no tokens where they are to be kept. Returns how many.

    With `tokens` the same pass gives them, if the model tells of them. With `past` texts of past versions are embedded too.

    Every window is stored before the next one begins: a crash loses at most one window's work.
    """
    with_tokens = tokens is not None and token_embedder(embedder) is not None
    total = store.missing(source, embedder.model, with_tokens=with_tokens, past=past)
    work = store.to_embed(source, embedder.model, with_tokens=with_tokens, past=past)
    done = 0
    progress(done, total)
    while batch := list(islice(work, window)):
        vectors, found = _embedded(embedder, batch, with_tokens=with_tokens)
        if tokens is not None and found:
            tokens.store_tokens(embedder.model, [(item.text_hash, one) for item, one in zip(batch, found, strict=True)])
        rows = zip(batch, np.ascontiguousarray(vectors, dtype="<f4"), strict=True)
        store.store(embedder.model, [(item.text_hash, vector.tobytes()) for item, vector in rows])
        done += len(batch)
        progress(done, total)
    return done


def _embedded(embedder: Embedder, batch: Sequence[EmbeddingWork], *, with_tokens: bool) -> tuple[Vectors, Sequence[TokenVectors]]:
    texts = [item.text for item in batch]
    telling = token_embedder(embedder) if with_tokens else None
    if telling is None:
        return embedder.embed(texts), ()
    return telling.embed_with_tokens(texts, [item.prefix for item in batch])
