"""The embedder: a sentence-transformers model on this machine's processor, without any network."""

import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol, Self

import torch

from retrieval.adapters.models.fast import FastModel, load_known
from retrieval.adapters.models.tokens import Tokens
from retrieval.adapters.models.weights import Weights, find_weights
from retrieval.ports.models import TokenVectors, Vectors
from retrieval.settings import Settings

Dtype = Literal["auto", "float32", "bfloat16"]

_CPU_INFORMATION = Path("/proc/cpuinfo")
_BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})


class LoadedModel(Protocol):
    """A model in memory. Vectors are float32 rows of unit length."""

    tokens: Tokens
    max_tokens: int
    dimensions: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimensions)."""

    def embed_query(self, text: str) -> Vectors:
        """Shape (1, dimensions)."""


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
        self._loaded = _load(weights, torch_dtype(dtype), batch_passages=batch_passages)
        self._token_model = self._loaded if isinstance(self._loaded, FastModel) and self._loaded.token_head is not None else None
        self._query = threading.Lock()
        self._query_found = lru_cache(maxsize=kept_queries)(self._embed_query)

    @classmethod
    def from_settings(cls, settings: Settings, weights: Weights | None = None) -> Self:
        """The model with these weights, or that of the settings. Raises ModelMismatch when it is not there or not the expected one."""
        return cls(
            weights or find_weights(settings.embedder_model),
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
        return self._loaded.dimensions

    @property
    def max_tokens(self) -> int:
        return self._loaded.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._loaded.tokens.counts(texts)

    def embed(self, texts: Sequence[str]) -> Vectors:
        torch.set_num_threads(self._threads)
        return self._loaded.embed(texts)

    def embed_query(self, text: str) -> Vectors:
        """The vector is shared with later callers and therefore read-only."""
        return self._query_found(text)[0]

    @property
    def gives_tokens(self) -> bool:
        return self._token_model is not None

    def embed_with_tokens(self, texts: Sequence[str], prefixes: Sequence[str]) -> tuple[Vectors, Sequence[TokenVectors]]:
        if self._token_model is None:
            raise ValueError("this model does not tell of tokens")
        torch.set_num_threads(self._threads)
        return self._token_model.embed_with_tokens(texts, prefixes)

    def query_tokens(self, text: str) -> TokenVectors:
        """Shared with later callers, like the query's vector."""
        tokens = self._query_found(text)[1]
        if tokens is None:
            raise ValueError("this model does not tell of tokens")
        return tokens

    def _embed_query(self, text: str) -> tuple[Vectors, TokenVectors | None]:
        tokens = None
        with self._query:
            torch.set_num_threads(self._query_threads)
            if self._token_model is None:
                vectors = self._loaded.embed_query(text)
            else:
                vectors, [tokens] = self._token_model.embed_with_tokens([text], [""])
        vectors.setflags(write=False)
        return vectors.reshape(-1), tokens


def _load(weights: Weights, dtype: torch.dtype, *, batch_passages: int) -> LoadedModel:
    known = load_known(weights, dtype, batch_passages=batch_passages)
    if known is not None:
        return known
    from retrieval.adapters.models.library import load_by_library  # noqa: PLC0415 - takes seconds to import

    return load_by_library(weights, dtype, batch_passages=batch_passages)


def torch_dtype(dtype: Dtype) -> torch.dtype:
    """What a setting means on this processor."""
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
