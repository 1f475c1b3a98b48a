"""Models that our own forward pass computes, checked against vectors of the library that they come from."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional

from retrieval.adapters.models import known
from retrieval.adapters.models.bert import BertEncoder
from retrieval.adapters.models.token_head import TokenHead
from retrieval.adapters.models.tokens import Tokens
from retrieval.adapters.models.weights import Weights
from retrieval.ports.models import TokenVectors, Vectors

BATCH_TOKENS = 2048
"""Tokens computed at once: what a layer makes of so many stays in the processor's cache."""
_LARGEST_DIFFERENCE = {torch.float32: 1e-5, torch.bfloat16: 2e-2}


class FastModel:
    """An encoder with its tokenizer. Immutable but for what the tokenizer remembers, so any number of threads may call it."""

    def __init__(
        self, encoder: BertEncoder, tokens: Tokens, *, max_tokens: int, batch_passages: int, token_head: TokenHead | None = None
    ) -> None:
        self._encoder = encoder
        self._batch_passages = batch_passages
        self.token_head = token_head
        self.tokens = tokens
        self.max_tokens = max_tokens
        self.dimensions = encoder.words.shape[1]

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        ids = self.tokens.ids(texts)
        for batch in _batches(ids, most_texts=self._batch_passages):
            vectors[batch] = self._encoded([ids[number] for number in batch])
        return vectors

    def embed_with_tokens(self, texts: Sequence[str], prefixes: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        """As `TokenEmbedder`. Raises ValueError when the model has no token head."""
        if self.token_head is None:
            raise ValueError("this model does not tell of tokens")
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        tokens: dict[int, TokenVectors] = {}
        ids = self.tokens.ids(texts)
        counts = self.tokens.counts(prefixes)
        for batch in _batches(ids, most_texts=self._batch_passages):
            with torch.inference_mode():
                pooled, hidden = self._encoder.encode_tokens([ids[number] for number in batch])
                vectors[batch] = functional.normalize(pooled, dim=-1).numpy()
            for number, of_text in zip(batch, hidden, strict=True):
                prefix_tokens = counts[number] + 1 if counts[number] else 0  # and the special token before them
                tokens[number] = self.token_head.tokens(ids[number], of_text.numpy(), prefix_tokens=prefix_tokens)
        return vectors, [tokens[number] for number in range(len(texts))]

    def embed_query(self, text: str) -> Vectors:
        return self.embed([text])

    def gives(self, expected: Vectors, texts: Sequence[str]) -> bool:
        """Whether `expected` is what it makes of `texts`, computed together, to the noise of its number format."""
        difference = np.abs(self._encoded(self.tokens.ids(texts)) - expected).max()
        return bool(difference <= _LARGEST_DIFFERENCE[self._encoder.words.dtype])

    def _encoded(self, ids: Sequence[Sequence[int]]) -> Vectors:
        with torch.inference_mode():
            vectors: Vectors = functional.normalize(self._encoder.encode(ids), dim=-1).numpy()
        return vectors


def load_known(weights: Weights, dtype: torch.dtype, *, batch_passages: int) -> FastModel | None:
    """Straight from the files of the model that is known; None for any other, and where it does not give the expected vectors."""
    if not known.is_known(weights):
        return None
    [file] = weights.directory.rglob("*.safetensors")
    tensors = {name: tensor.to(dtype) for name, tensor in load_file(file).items()}
    encoder = BertEncoder.of_weights(tensors, layers=known.LAYERS, heads=known.HEADS, epsilon=known.EPSILON)
    tokens = known.known_tokens(weights)
    head = TokenHead.of_known_model(tokens.vocabulary())
    model = FastModel(encoder, tokens, max_tokens=known.MAX_TOKENS, batch_passages=batch_passages, token_head=head)
    return model if model.gives(known.expected_vectors(), known.CHECKED_TEXTS) else None


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
