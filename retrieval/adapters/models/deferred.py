"""An embedder whose model is loaded when it first has to work. Its name, the hash of its weights, is known without."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from retrieval.adapters.models.tokens import Tokens
from retrieval.ports.models import Embedder, TokenVectors, Vectors, token_embedder


class DeferredEmbedder:
    """`Embedder` over one that `load` makes. Most runs over a source find nothing to embed and never pay for the model.

    Args:
        load_tokens: makes the tokenizer alone, where that is possible: counting then waits for no model.
        gives_tokens: whether the model tells of single tokens, known beforehand.
    """

    def __init__(
        self, model: str, load: Callable[[], Embedder], *, load_tokens: Callable[[], Tokens] | None = None, gives_tokens: bool = False
    ) -> None:
        self._model = model
        self.gives_tokens = gives_tokens
        self._load = load
        self._load_tokens = load_tokens
        self._embedder: Embedder | None = None
        self._tokens: Tokens | None = None
        self._loading = threading.Lock()
        self._warming: threading.Thread | None = None

    def warm_up(self) -> None:
        """Start loading the model in the background, once. Whoever needs it before waits for it, and meets the error if there is one."""
        if self._warming is None:
            self._warming = threading.Thread(target=self._warm_up, name="load-embedder")  # no daemon: ends the process badly inside torch
            self._warming.start()

    @property
    def model(self) -> str:
        return self._model

    @property
    def dimensions(self) -> int:
        return self._loaded().dimensions

    @property
    def max_tokens(self) -> int:
        return self._loaded().max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        if self._load_tokens is None:
            return self._loaded().count_tokens(texts)
        if self._tokens is None:
            self._tokens = self._load_tokens()
        return self._tokens.counts(texts)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._loaded().embed(texts)

    def embed_query(self, text: str) -> Vectors:
        return self._loaded().embed_query(text)

    def embed_with_tokens(self, texts: Sequence[str], prefixes: Sequence[str]) -> tuple[Vectors, Sequence[TokenVectors]]:
        embedder = token_embedder(self._loaded())
        if embedder is None:
            raise ValueError("this model does not tell of tokens")
        return embedder.embed_with_tokens(texts, prefixes)

    def query_tokens(self, text: str) -> TokenVectors:
        embedder = token_embedder(self._loaded())
        if embedder is None:
            raise ValueError("this model does not tell of tokens")
        return embedder.query_tokens(text)

    def _loaded(self) -> Embedder:
        with self._loading:
            if self._embedder is None:
                self._embedder = self._load()
            return self._embedder

    def _warm_up(self) -> None:
        with suppress(Exception):  # the same comes again where the model is needed, with someone there to tell
            self._loaded()
