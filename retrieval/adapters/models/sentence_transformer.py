"""The embedder: a sentence-transformers model on this machine's processor, without any network."""

import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from torch.nn import functional
from transformers.utils import logging

from retrieval.adapters.models.bert import BertEncoder
from retrieval.adapters.models.tokens import Tokens
from retrieval.adapters.models.weights import Weights, find_weights
from retrieval.domain.errors import ModelMismatch
from retrieval.ports.models import Vectors
from retrieval.settings import Settings

Dtype = Literal["auto", "float32", "bfloat16"]

BATCH_TOKENS = 2048
"""Tokens computed at once: what a layer makes of so many stays in the processor's cache."""
_CPU_INFORMATION = Path("/proc/cpuinfo")
_BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})
_LARGEST_DIFFERENCE = {torch.float32: 1e-5, torch.bfloat16: 2e-2}
_CHECKED_TEXTS = (
    "Who approves travel?",
    "Café №7: Übergröße, “quoted”, 3.5 % of 北京 (see §4). " * 3,
    "The quick brown fox jumps. " * 200,
)


class SentenceTransformerEmbedder:
    """Implements `Embedder`. Safe to call from several threads; queries never wait for a bulk that is being embedded."""

    def __init__(
        self,
        weights: Weights,
        *,
        dtype: Dtype = "auto",
        batch_passages: int = 32,
        threads: int = 0,
        query_threads: int = 1,
        kept_queries: int = 1024,
    ) -> None:
        """Loads the model.

        Args:
            weights: which model.
            dtype: `auto` is bfloat16 on processors that compute in it and float32 elsewhere.
            batch_passages: most texts computed at once.
            threads: for texts in bulk; 0: one per core.
            query_threads: for one query; 0: one per core.
            kept_queries: vectors of recent queries that are remembered; 0: none.

        Raises:
            ModelMismatch: the files are not a model that sentence-transformers can load.
        """
        cores = len(os.sched_getaffinity(0))
        self._threads, self._query_threads = threads or cores, query_threads or cores
        self._weights = weights
        self._batch_passages = batch_passages
        self._model = _load(weights, _torch_dtype(dtype))
        self._max_tokens = int(self._model.max_seq_length or self._model.tokenizer.model_max_length)
        self._dimensions = int(self._model.get_embedding_dimension() or 0)
        self._tokens = Tokens.of(self._model.tokenizer.backend_tokenizer, max_tokens=self._max_tokens)
        self._slow = threading.Lock()
        self._query = threading.Lock()
        self._encoder = self._checked_encoder()
        self._query_vector = lru_cache(maxsize=kept_queries)(self._embed_query)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises ModelMismatch when the model is not there or its weights are not the expected ones."""
        return cls(
            find_weights(settings.embedder_model),
            dtype=settings.embedder_dtype,
            batch_passages=settings.embedder_batch_passages,
            threads=settings.embedder_threads,
            query_threads=settings.embedder_query_threads,
            kept_queries=settings.embedder_kept_queries,
        )

    @property
    def model(self) -> str:
        return self._weights.id

    @property
    def dimensions(self) -> int:
        return self._dimensions

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._tokens.counts(texts)

    def embed(self, texts: Sequence[str]) -> Vectors:
        torch.set_num_threads(self._threads)
        return self._embed(texts)

    def embed_query(self, text: str) -> Vectors:
        """The vector is shared with later callers and therefore read-only."""
        vector: Vectors = self._query_vector(text)
        return vector

    def _embed_query(self, text: str) -> Vectors:
        with self._query:
            torch.set_num_threads(self._query_threads)
            vectors = self._embed_slowly([text], as_query=True) if self._encoder is None else self._embed([text])
        vectors.setflags(write=False)
        return vectors.reshape(-1)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        if self._encoder is None:
            return self._embed_slowly(texts)
        vectors = np.empty((len(texts), self._dimensions), dtype=np.float32)
        ids = self._tokens.ids(texts)
        for batch in _batches(ids, most_texts=self._batch_passages):
            vectors[batch] = _encoded(self._encoder, [ids[number] for number in batch])
        return vectors

    def _embed_slowly(self, texts: Sequence[str], *, as_query: bool = False) -> Vectors:
        """By sentence-transformers itself, for architectures and prompts that the fast encoder does not know."""
        embed = self._model.encode_query if as_query else self._model.encode_document
        with self._slow:
            found = embed(list(texts), batch_size=self._batch_passages, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32).reshape(len(texts), self._dimensions)

    def _checked_encoder(self) -> BertEncoder | None:
        """The fast encoder if it gives what sentence-transformers gives, for short, long and too long texts, else None."""
        encoder = _fast_encoder(self._model)
        if encoder is None:
            return None
        expected = self._embed_slowly(_CHECKED_TEXTS)
        difference = np.abs(_encoded(encoder, self._tokens.ids(_CHECKED_TEXTS)) - expected).max()
        return encoder if difference <= _LARGEST_DIFFERENCE[encoder.words.dtype] else None


def _encoded(encoder: BertEncoder, ids: Sequence[Sequence[int]]) -> Vectors:
    with torch.inference_mode():
        vectors: Vectors = functional.normalize(encoder.encode(ids), dim=-1).numpy()
    return vectors


def _batches(ids: Sequence[Sequence[int]], *, most_texts: int) -> Iterator[list[int]]:
    """Numbers of texts to compute together: of like length, so that little is padded, longest first."""
    batch: list[int] = []
    for number in sorted(range(len(ids)), key=lambda number: -len(ids[number])):
        longest = len(ids[batch[0]]) if batch else 0
        if batch and (len(batch) == most_texts or (len(batch) + 1) * longest > BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


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


def _load(weights: Weights, dtype: torch.dtype) -> SentenceTransformer:
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the libraries' own future, nothing a reader of our log can act on
        try:
            return SentenceTransformer(str(weights.directory), device="cpu", local_files_only=True, model_kwargs={"dtype": dtype}).eval()
        except (OSError, ValueError, KeyError) as error:
            raise ModelMismatch(f"{weights.directory} holds no model that sentence-transformers can load") from error


def _torch_dtype(dtype: Dtype) -> torch.dtype:
    if dtype == "auto":
        return torch.bfloat16 if computes_in_bfloat16(_CPU_INFORMATION) else torch.float32
    return torch.bfloat16 if dtype == "bfloat16" else torch.float32


def computes_in_bfloat16(cpu_information: Path) -> bool:
    """Whether the processor multiplies bfloat16 itself; elsewhere it is slower than float32."""
    try:
        lines = cpu_information.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    return not _BFLOAT16_FLAGS.isdisjoint(flags)
