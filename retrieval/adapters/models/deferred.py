"""An embedder whose model is loaded when it first has to work. Its name, the hash of its weights, is known without."""

from collections.abc import Callable, Sequence
from functools import cached_property

from retrieval.ports.models import Embedder, Vectors


class DeferredEmbedder:
    """`Embedder` over one that `load` makes. Most runs over a source find nothing to embed and never pay for the model."""

    def __init__(self, model: str, load: Callable[[], Embedder]) -> None:
        self._model = model
        self._load = load

    @cached_property
    def _loaded(self) -> Embedder:
        return self._load()

    @property
    def model(self) -> str:
        return self._model

    @property
    def dimensions(self) -> int:
        return self._loaded.dimensions

    @property
    def max_tokens(self) -> int:
        return self._loaded.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._loaded.count_tokens(texts)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._loaded.embed(texts)

    def embed_query(self, text: str) -> Vectors:
        return self._loaded.embed_query(text)
