"""Tokens as they are kept for late interaction: the encoder's last layer, centred, in the directions in which tokens differ most.

Khattab and Zaharia, "ColBERT" (SIGIR 2020), with the encoder that embeds passages and nothing learned for the purpose. Centring takes away
what all tokens have in common (Ethayarajh, "How Contextual are Contextualized Word Representations?", EMNLP 2019). Mean and directions
(`token_head.npz`) come from `python -m retrieval.evaluation.token_head`.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.domain.terms import STOP_WORDS
from retrieval.ports.models import TokenVectors, Vectors

WIDTH = 96
LEVELS = 7
"""A vector's largest number, up or down: four bits for each. On tuning splits eight bits ranked no better, half the width worse."""
MAX_SEGMENT = 255
_HEAD = Path(__file__).with_name("token_head.npz")
_SENTENCE_ENDS = frozenset(".!?;")


class TokenHead:
    """What is kept of a text's tokens.

    Args:
        vocabulary: token to its id, below 65,536 each.
        mean: shape (dimensions,).
        directions: shape (dimensions, width).
    """

    def __init__(self, vocabulary: dict[str, int], mean: Vectors, directions: Vectors) -> None:
        says = np.ones(max(vocabulary.values()) + 1, dtype=bool)
        ends = np.zeros_like(says)
        for token, number in vocabulary.items():
            says[number] = not token.startswith("[") and token not in STOP_WORDS and any(map(str.isalnum, token))
            ends[number] = token in _SENTENCE_ENDS
        self._says, self._ends = says, ends
        self._mean, self._directions = mean, directions

    @classmethod
    def of_known_model(cls, vocabulary: dict[str, int]) -> "TokenHead":
        """The one that belongs to the bundled model."""
        return cls(vocabulary, *_read())

    def tokens(self, ids: Sequence[int], hidden: Vectors, *, prefix_tokens: int) -> TokenVectors:
        """What is kept.

        Args:
            ids: of the text, special tokens included.
            hidden: shape (len(ids), dimensions).
            prefix_tokens: how many of the ids, the first special token included, belong to the title and headings; 0: none do.
        """
        numbers = np.asarray(ids)
        sentence = 1 + np.concatenate([[0], np.cumsum(self._ends[numbers])[:-1]])
        segments = np.where(np.arange(len(numbers)) < prefix_tokens, 0, np.minimum(sentence, MAX_SEGMENT)).astype(np.uint8)
        kept = np.flatnonzero(self._says[numbers])
        if not len(kept):
            kept = np.arange(len(numbers))
        projected = (hidden[kept] - self._mean) @ self._directions
        largest = np.abs(projected).max(axis=1, keepdims=True)
        vectors = np.rint(projected * (LEVELS / np.maximum(largest, 1e-9))).astype(np.int8)
        return TokenVectors(numbers[kept].astype(np.uint16), segments[kept], vectors)


@lru_cache(maxsize=1)
def _read() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    with np.load(_HEAD) as kept:
        return kept["mean"].astype(np.float32), kept["directions"].astype(np.float32)
