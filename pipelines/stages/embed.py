"""Embed what has no embedding yet, longest texts together, so that the model is kept busy and nothing is embedded twice."""

from collections.abc import Callable
from itertools import islice

import numpy as np

from retrieval.ports.ingestion import EmbeddingStore
from retrieval.ports.models import Embedder

WINDOW_PASSAGES = 512
"""Passages held in memory and sorted by length at once."""


def embed_missing(
    store: EmbeddingStore,
    embedder: Embedder,
    source: str,
    *,
    window: int = WINDOW_PASSAGES,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """Embed the source's texts that have no embedding under this model. Returns how many.

    Every window is stored before the next one begins: a crash loses at most one window's work.
    """
    total = store.missing(source, embedder.model)
    work = store.to_embed(source, embedder.model)
    done = 0
    progress(done, total)
    while batch := list(islice(work, window)):
        vectors = embedder.embed([item.text for item in batch])
        rows = zip(batch, np.ascontiguousarray(vectors, dtype="<f4"), strict=True)
        store.store(embedder.model, [(item.text_hash, vector.tobytes()) for item, vector in rows])
        done += len(batch)
        progress(done, total)
    return done
