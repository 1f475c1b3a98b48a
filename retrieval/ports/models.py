"""What the core asks of models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from retrieval.domain.sources import Classification

Vectors = npt.NDArray[np.float32]


TokenIds = npt.NDArray[np.uint16]
Segments = npt.NDArray[np.uint8]
SmallVectors = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class TokenVectors:
    """The tokens of a text that say something, in order: no stop words, no punctuation. For late interaction.

    Attributes:
        ids: shape (tokens,); the tokenizer's own.
        segments: shape (tokens,); the number of the sentence a token is in, 0 for those of the title and headings; at most 255.
        vectors: shape (tokens, width), width even, each number from -7 to 7; contextual. Only their direction means something.
    """

    ids: TokenIds
    segments: Segments
    vectors: SmallVectors


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


@dataclass(frozen=True, eq=False)
class EmbeddedQuery:
    """A query's vector with the model that made it. It may be compared with vectors of that model and of no other.

    Attributes:
        vector: shape (dimensions,), unit length.
        embedder: what else belongs to the same request is embedded by it too.
        is_live: False where this process is not ready for the live model yet and goes on with the one before.
    """

    vector: Vectors
    embedder: Embedder
    is_live: bool = True

    @property
    def model(self) -> str:
        return self.embedder.model


class TokenEmbedder(Embedder, Protocol):
    """An embedder that also tells what it made of every single token."""

    @property
    def gives_tokens(self) -> bool:
        """Whether this model does."""

    def embed_with_tokens(self, texts: Sequence[str], prefixes: Sequence[str]) -> tuple[Vectors, Sequence[TokenVectors]]:
        """`embed`, and of the same pass the tokens of each text. Each text begins with its prefix, which may be empty."""

    def query_tokens(self, text: str) -> TokenVectors:
        """The tokens of one short text; with `embed_query` they cost one pass."""


def token_embedder(embedder: Embedder) -> TokenEmbedder | None:
    """The embedder itself where it tells of tokens, else None. Asks for nothing else: a deferred model stays unloaded."""
    return cast("TokenEmbedder", embedder) if getattr(embedder, "gives_tokens", False) else None


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


class Elsewhere(Protocol):
    """A model that may stand where not every passage may go."""

    @property
    def most_sensitive(self) -> Classification: ...


Model = TypeVar("Model", bound=Elsewhere)


def cleared(models: Sequence[Model], classifications: Sequence[Classification]) -> tuple[Model, ...]:
    """The models that may be shown every one of the passages. What is made of half of them says nothing of the other half.

    Args:
        models: as they are preferred, and so they stay.
        classifications: of the passages' sources.
    """
    most = max((classification.sensitivity for classification in classifications), default=0)
    return tuple(model for model in models if model.most_sensitive.sensitivity >= most)
