"""What the core asks of models."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from retrieval.domain.sources import Classification

Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Text to unit vectors. Same text, same vector, whatever it is batched with (to float noise)."""

    @property
    def model(self) -> str:
        """Name and content hash of the weights, e.g. `all-MiniLM-L6-v2@53aa51172d14`: part of every embedding's key."""

    @property
    def dimensions(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """Tokens the model reads, special tokens included; the rest of a text is ignored."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text without special tokens, by the model's own tokenizer."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimensions), float32, rows of unit length."""

    def embed_query(self, text: str) -> Vectors:
        """Shape (dimensions,), float32, unit length. Made for one short text with low latency."""


class Reranker(Protocol):
    """A model that reads a query together with each passage. What it is given has passed the gate."""

    @property
    def name(self) -> str:
        """Which model, as it is shown and recorded, e.g. `cohere/rerank-v3.5`."""

    @property
    def most_sensitive(self) -> Classification:
        """Passages of sources classified above this are not to be given to it: it is elsewhere."""

    def scores(self, query: str, texts: Sequence[str], *, timeout_seconds: float) -> Sequence[float]:
        """One finite number for each text in the order of `texts`; higher is better, comparable within one call only.

        Raises:
            ModelUnavailable: it did not answer in time, refused, or answered something that is no ranking of these texts.
        """
