"""Models as sentence-transformers loads them: any that it knows, at the price of seconds for importing it."""

import threading
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers.utils import logging

from retrieval.adapters.models.bert import BertEncoder
from retrieval.adapters.models.fast import FastModel
from retrieval.adapters.models.known import CHECKED_TEXTS
from retrieval.adapters.models.tokens import Tokens
from retrieval.adapters.models.weights import Weights
from retrieval.domain.errors import ModelMismatch
from retrieval.ports.models import Vectors


class LibraryModel:
    """A model run by sentence-transformers itself, for architectures and prompts that the fast encoder does not know."""

    def __init__(self, model: SentenceTransformer, *, batch_passages: int) -> None:
        self._model = model
        self._batch_passages = batch_passages
        self._working = threading.Lock()
        self.max_tokens = int(model.max_seq_length or model.tokenizer.model_max_length)
        self.dimensions = int(model.get_embedding_dimension() or 0)
        self.tokens = Tokens.of(model.tokenizer.backend_tokenizer, max_tokens=self.max_tokens)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts, self._model.encode_document)

    def embed_query(self, text: str) -> Vectors:
        return self._embed([text], self._model.encode_query)

    def _embed(self, texts: Sequence[str], embed: Any) -> Vectors:  # noqa: ANN401 - overloaded by the library
        with self._working:
            found = embed(list(texts), batch_size=self._batch_passages, normalize_embeddings=True, show_progress_bar=False)
        vectors = np.asarray(found, dtype=np.float32).reshape(len(texts), self.dimensions)
        # The library's own vectors are of unit length in the model's type only, and that may be bfloat16.
        lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, np.maximum(lengths, np.float32(1e-12)), dtype=np.float32)


def load_by_library(weights: Weights, dtype: torch.dtype, *, batch_passages: int) -> FastModel | LibraryModel:
    """The fast encoder if it gives what sentence-transformers gives, for short, long and too long texts, else the library's model.

    Raises:
        ModelMismatch: the files are not a model that sentence-transformers can load.
    """
    loaded = open_library(weights, dtype)
    model = LibraryModel(loaded, batch_passages=batch_passages)
    encoder = _fast_encoder(loaded)
    if encoder is None:
        return model
    fast = FastModel(encoder, model.tokens, max_tokens=model.max_tokens, batch_passages=batch_passages)
    return fast if fast.gives(model.embed(CHECKED_TEXTS), CHECKED_TEXTS) else model


def open_library(weights: Weights, dtype: torch.dtype) -> SentenceTransformer:
    """Raises ModelMismatch when the files are not a model that sentence-transformers can load."""
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the libraries' own future, nothing a reader of our log can act on
        try:
            return SentenceTransformer(str(weights.directory), device="cpu", local_files_only=True, model_kwargs={"dtype": dtype}).eval()
        except (OSError, ValueError, KeyError) as error:
            raise ModelMismatch(f"{weights.directory} holds no model that sentence-transformers can load") from error


def _fast_encoder(model: SentenceTransformer) -> BertEncoder | None:
    """For what may be a BERT with mean pooling and without prompts: whether it is, the comparison with its library tells."""
    modules: list[Any] = list(model)
    kinds = [type(module) for module in modules]
    if kinds not in ([Transformer, Pooling], [Transformer, Pooling, Normalize]) or any(model.prompts.values()):
        return None
    bert = modules[0].auto_model
    try:
        return BertEncoder.of(bert, bert.config)
    except ValueError:
        return None
