import threading
from collections.abc import Sequence

import numpy as np
import pytest

from retrieval.adapters.models.deferred import DeferredEmbedder
from retrieval.domain.errors import ModelMismatch
from retrieval.ports.models import TokenVectors, Vectors, token_embedder

SECONDS = 10


class LengthEmbedder:
    """An `Embedder` that knows nothing but lengths."""

    model = "length@1"
    dimensions = 1
    max_tokens = 9

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.ones((len(texts), 1), dtype=np.float32)

    def embed_query(self, text: str) -> Vectors:
        return self.embed([text])[0]


class Loading:
    """Counts loads, each of which waits until it is let go."""

    def __init__(self) -> None:
        self.threads: list[str] = []
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> LengthEmbedder:
        self.threads.append(threading.current_thread().name)
        self.begun.set()
        assert self.let_go.wait(SECONDS)
        return LengthEmbedder()


def test_a_model_is_loaded_when_it_first_has_to_work():
    loading = Loading()
    loading.let_go.set()
    deferred = DeferredEmbedder("length@1", loading)
    name, before = deferred.model, list(loading.threads)

    deferred.embed(["x"])
    deferred.embed_query("y")

    assert (name, before) == ("length@1", [])
    assert loading.threads == [threading.current_thread().name]


def test_warming_up_loads_beside_the_caller_and_once():
    loading = Loading()
    deferred = DeferredEmbedder("length@1", loading)

    deferred.warm_up()
    deferred.warm_up()
    assert loading.begun.wait(SECONDS)
    loading.let_go.set()

    assert deferred.embed(["x"]).shape == (1, 1)
    assert loading.threads == ["load-embedder"]


def test_what_fails_in_the_background_is_raised_where_the_model_is_needed():
    def refuse() -> LengthEmbedder:
        raise ModelMismatch("other weights")

    deferred = DeferredEmbedder("length@1", refuse)
    deferred.warm_up()

    with pytest.raises(ModelMismatch, match="other weights"):
        deferred.embed(["x"])


def test_without_a_tokenizer_of_its_own_the_model_counts():
    loading = Loading()
    loading.let_go.set()

    assert DeferredEmbedder("length@1", loading).count_tokens(["four"]) == [4]


class TellingEmbedder(LengthEmbedder):
    """Tells of tokens: one for each letter."""

    gives_tokens = True

    def embed_with_tokens(self, texts: Sequence[str], _prefixes: Sequence[str]) -> tuple[Vectors, Sequence[TokenVectors]]:
        return self.embed(texts), [self.query_tokens(text) for text in texts]

    def query_tokens(self, text: str) -> TokenVectors:
        ids = np.array([ord(letter) for letter in text], dtype=np.uint16)
        return TokenVectors(ids, np.ones(len(ids), dtype=np.uint8), np.zeros((len(ids), 2), dtype=np.int8))


def test_whether_it_tells_of_tokens_is_known_before_the_model_is_loaded():
    loading = Loading()

    telling = token_embedder(DeferredEmbedder("telling@1", loading, gives_tokens=True))
    silent = token_embedder(DeferredEmbedder("telling@1", loading))

    assert (telling is not None, silent) == (True, None)
    assert loading.threads == []


def test_tokens_are_those_of_the_model_that_is_loaded():
    deferred = DeferredEmbedder("telling@1", TellingEmbedder, gives_tokens=True)

    vectors, tokens = deferred.embed_with_tokens(["ab", "c"], ["", ""])

    assert vectors.shape == (2, 1)
    assert [found.ids.tolist() for found in tokens] == [[97, 98], [99]]
    assert deferred.query_tokens("c").ids.tolist() == [99]


def test_a_model_that_tells_of_none_after_all_is_an_error_and_no_empty_tokens():
    deferred = DeferredEmbedder("length@1", LengthEmbedder, gives_tokens=True)

    for ask in (lambda: deferred.embed_with_tokens(["x"], [""]), lambda: deferred.query_tokens("x")):
        with pytest.raises(ValueError, match="does not tell of tokens"):
            ask()
