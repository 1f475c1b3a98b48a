"""An embedder without weights: texts that share words are near."""

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from retrieval.ports.models import Vectors

DIMENSIONS = 64


class SmallEmbedder:
    """`Embedder` by hashed words. Exact in float32: the same text has the same vector, bit for bit."""

    max_tokens = 256

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        self.dimensions = dimensions
        self.model = f"small-{dimensions}@1"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.embed_query(text) for text in texts]) if texts else np.zeros((0, self.dimensions), dtype=np.float32)

    def embed_query(self, text: str) -> Vectors:
        summed = sum((_direction(word.strip(".,?").lower(), self.dimensions) for word in text.split()), np.full(self.dimensions, 1e-3))
        return (summed / np.linalg.norm(summed)).astype(np.float32)


@lru_cache(maxsize=10_000)
def _direction(word: str, dimensions: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    drawn = np.random.default_rng(zlib.crc32(word.encode())).normal(size=dimensions)
    return drawn / np.linalg.norm(drawn)
