"""Texts as sparse BM25 vectors, the same for both adapters. The engine multiplies in the IDF of the readable passages at query time.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009). The average length is fixed:
a measured one would tell how long the documents are that the reader may not see, and ranks no better.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import qdrant_edge

from retrieval.adapters.qdrant.payload import storable

TERM_SATURATION = 1.2
LENGTH_NORMALISATION = 0.75
AVERAGE_TOKENS = 128

_MODEL = qdrant_edge.Bm25(qdrant_edge.Bm25Config(k=TERM_SATURATION, b=LENGTH_NORMALISATION, avg_len=AVERAGE_TOKENS))


@dataclass(frozen=True)
class Terms:
    """A sparse vector: ascending hashes of terms, and each term's weight."""

    hashes: Sequence[int]
    weights: Sequence[float]

    def __len__(self) -> int:
        return len(self.hashes)

    def in_pairs(self) -> "list[Terms]":
        """The same terms, at most two at a time."""
        return [Terms(self.hashes[at : at + 2], self.weights[at : at + 2]) for at in range(0, len(self), 2)]


def passage_terms(text: str) -> Terms:
    vector = _MODEL.embed_document(storable(text))
    return Terms(vector.indices, vector.values)


def query_terms(text: str) -> Terms:
    """Each distinct term with weight 1; none for a text of stop words and punctuation alone."""
    vector = _MODEL.embed_query(storable(text))
    return Terms(vector.indices, vector.values)
