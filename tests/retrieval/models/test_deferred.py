import threading
from collections.abc import Sequence

import numpy as np
import pytest

from retrieval.adapters.models.deferred import DeferredEmbedder
from retrieval.domain.errors import ModelMismatch
from retrieval.ports.models import Vectors

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
