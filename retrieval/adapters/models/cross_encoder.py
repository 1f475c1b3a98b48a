"""Reranking by a cross-encoder on this machine's processor, as sentence-transformers runs it. Nothing leaves the machine."""

import os
import threading
import warnings
from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor

import numpy as np
import torch
from sentence_transformers import CrossEncoder
from transformers.utils import logging

from retrieval.adapters.models.sentence_transformer import Dtype, torch_dtype
from retrieval.adapters.models.texts import encodable
from retrieval.adapters.models.weights import Weights
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.domain.errors import ModelMismatch
from retrieval.domain.sources import Classification

_JUDGING = ("ForSequenceClassification", "ForCausalLM")
"""Architectures whose weights include what gives the score; any other would be given a random one."""


class CrossEncoderReranker:
    """`Reranker` by a model in memory. One computes at a time; who waits waits within its own time. Does not retry."""

    most_sensitive = Classification.RESTRICTED

    def __init__(
        self, weights: Weights, *, dtype: Dtype = "auto", batch_passages: int = 8, max_tokens: int = 512, threads: int = 0
    ) -> None:
        """Loads the model.

        Args:
            weights: which model.
            dtype: `auto` is bfloat16 on processors that compute in it and float32 elsewhere.
            batch_passages: most texts computed at once, between two looks at whether anybody still waits.
            max_tokens: most that is read of query and text together; the model's own limit holds beside it.
            threads: that compute; 0: one per core.

        Raises:
            ModelMismatch: the files are not a cross-encoder that gives one score.
        """
        self._name = f"cross-encoder/{weights.id}"
        self._model = _open(weights, torch_dtype(dtype), max_tokens)
        self._batch_passages = batch_passages
        self._threads = threads or len(os.sched_getaffinity(0))
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="cross-encoder")

    @property
    def name(self) -> str:
        return self._name

    def scores(self, query: str, texts: Sequence[str], *, timeout_seconds: float) -> Sequence[float]:
        """At the deadline the caller is told so at once; the batch that is being computed is the last."""
        over = threading.Event()
        try:
            work = self._worker.submit(self._computed, encodable(query), [encodable(text) for text in texts], over)
            scores = work.result(timeout_seconds)
        except TimeoutError:
            over.set()
            raise CallFailed("not computed in time") from None
        except (CancelledError, RuntimeError, IndexError, ValueError) as error:  # closed meanwhile, or a model that breaks on some texts
            raise CallFailed(type(error).__name__) from None
        if not np.isfinite(scores).all():
            raise CallFailed("a score that is no number")
        return tuple(map(float, scores))

    def close(self) -> None:
        self._worker.shutdown(cancel_futures=True)

    def _computed(self, query: str, texts: list[str], over: threading.Event) -> np.ndarray:
        """Longest texts first, because a batch takes as long as its longest."""
        torch.set_num_threads(self._threads)
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        scores = np.zeros(len(texts))
        for start in range(0, len(order), self._batch_passages):
            if over.is_set():
                raise TimeoutError
            batch = order[start : start + self._batch_passages]
            scores[batch] = self._model.predict(
                [(query, texts[place]) for place in batch],
                batch_size=len(batch),
                activation_fn=torch.nn.Identity(),  # a sigmoid makes equals of the best
                show_progress_bar=False,
            )
        return scores


def _open(weights: Weights, dtype: torch.dtype, max_tokens: int) -> CrossEncoder:
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the libraries' own future, nothing a reader of our log can act on
        try:
            model: CrossEncoder = CrossEncoder(
                str(weights.directory), device="cpu", local_files_only=True, model_kwargs={"dtype": dtype}
            ).eval()
        except (OSError, ValueError, KeyError) as error:
            raise ModelMismatch(
                f"{weights.directory} (ARCHIVIST_RERANKER_MODEL) holds no model that sentence-transformers can load"
            ) from error
    if not any(name.endswith(_JUDGING) for name in getattr(model.config, "architectures", None) or ()) or model.num_labels != 1:
        raise ModelMismatch(f"{weights.directory} (ARCHIVIST_RERANKER_MODEL) holds no cross-encoder that gives one score")
    own = (model.max_seq_length, getattr(model.config, "max_position_embeddings", None))
    model.max_seq_length = min(max_tokens, *(int(limit) for limit in own if limit))
    return model
