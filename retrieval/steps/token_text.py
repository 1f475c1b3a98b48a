"""The tokens of several passages one after the other, to compare with a query's by late interaction.

Each token of the query is compared with its nearest of a passage or sentence (Khattab and Zaharia, "ColBERT", SIGIR 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.ports.models import SmallVectors, TokenVectors

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TokenText:
    """The tokens of all passages.

    Attributes:
        vectors: shape (tokens, width), unit length.
        passages: where each hit's tokens begin.
        sentences: where each sentence's begin.
        sentence_passage, sentence_number: of each sentence; number 0 is the title.
        lengths: tokens of each hit.
    """

    ids: npt.NDArray[np.uint16]
    vectors: Floats
    passages: npt.NDArray[np.int64]
    sentences: npt.NDArray[np.int64]
    sentence_passage: npt.NDArray[np.int64]
    sentence_number: npt.NDArray[np.uint8]
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, found: Sequence[TokenVectors]) -> "TokenText":
        lengths = np.array([len(tokens.ids) for tokens in found])
        segments = np.concatenate([tokens.segments for tokens in found])
        passage = np.repeat(np.arange(len(found)), lengths)
        begins = np.flatnonzero(np.concatenate([[True], (segments[1:] != segments[:-1]) | (passage[1:] != passage[:-1])]))
        return cls(
            ids=np.concatenate([tokens.ids for tokens in found]),
            vectors=directions(np.concatenate([tokens.vectors for tokens in found])),
            passages=np.concatenate([[0], np.cumsum(lengths)[:-1]]),
            sentences=begins,
            sentence_passage=passage[begins],
            sentence_number=segments[begins],
            lengths=lengths,
        )

    def of_passages(self, values: npt.NDArray[np.generic]) -> Floats:
        """Shape (query tokens, tokens) to (query tokens, hits): each hit's best."""
        return np.maximum.reduceat(values.astype(np.float32), self.passages, axis=1)

    def of_sentences(self, values: npt.NDArray[np.generic]) -> Floats:
        """Shape (query tokens, tokens) to (query tokens, sentences)."""
        return np.maximum.reduceat(values.astype(np.float32), self.sentences, axis=1)

    def best_sentence(self, values: Floats) -> Floats:
        """Shape (sentences,) to (hits,): the best of each hit's."""
        first = np.searchsorted(self.sentence_passage, np.arange(len(self.lengths)))
        return np.maximum.reduceat(values, first)

    def of_titles(self, values: Floats) -> Floats:
        """Shape (sentences,) to (hits,): the title's; 0 without one."""
        titles = np.zeros(len(self.lengths), dtype=np.float32)
        is_title = self.sentence_number == 0
        titles[self.sentence_passage[is_title]] = values[is_title]
        return titles


def directions(vectors: SmallVectors) -> Floats:
    """The same, of unit length."""
    numbers = vectors.astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", numbers, numbers))[:, None]
    unit: Floats = numbers / np.maximum(lengths, np.float32(1e-9))
    return unit


def rarity(occurs: Floats, hits: int) -> Floats:
    """BM25's weight of each token of the query among the hits; shape (query tokens,)."""
    frequency = occurs.sum(axis=1)
    weights: Floats = np.log1p((hits - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
    return weights
