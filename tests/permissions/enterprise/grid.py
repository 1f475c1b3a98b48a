"""The real model with its vectors rounded to a grid, so that their scalar products are exact and can be compared bit by bit.

Passages are rounded to multiples of 2^-12 and queries to multiples of 2^-11. Every product of two components is then a multiple of
2^-23, and every sum of such products along two vectors of about unit length is one too and below 2: float32 holds it exactly.
Whoever adds them up, in whatever order, gets the same score. Cosines move by less than a thousandth.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.bootstrap import open_embedder
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.models import Embedder, Vectors
from retrieval.settings import Settings

CACHE = Path(__file__).parents[3] / ".cache" / "enterprise"
PASSAGE_STEPS, QUERY_STEPS = 2.0**12, 2.0**11


class GridEmbedder:
    """`Embedder` over another one. Passages' vectors as the model gave them are kept in `.cache/enterprise` between runs."""

    def __init__(self, embedder: Embedder, cache: Path = CACHE) -> None:
        self._embedder = embedder
        self._cache = VectorCache(cache, embedder)
        self.model = f"{embedder.model}+grid"
        self.dimensions = embedder.dimensions
        self.max_tokens = embedder.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._embedder.count_tokens(texts)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return _rounded(self._embedder.embed(texts), PASSAGE_STEPS)

    def embed_query(self, text: str) -> Vectors:
        return _rounded(self._embedder.embed_query(text), QUERY_STEPS)

    def embed_kept(self, name: str, texts: Sequence[str]) -> Vectors:
        """Like `embed`, but what the file `name` holds of earlier runs is not embedded again."""
        return _rounded(self._cache.vectors(name, texts, progress=_tell), PASSAGE_STEPS)


def open_grid_embedder() -> GridEmbedder:
    return GridEmbedder(open_embedder(Settings()))


def _tell(done: int, total: int) -> None:
    print(f"embedded {done:,} of {total:,}", flush=True)


def _rounded(vectors: Vectors, steps: float) -> Vectors:
    return np.asarray(np.rint(vectors * steps) / steps, dtype=np.float32)
