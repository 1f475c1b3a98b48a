"""Texts as sparse BM25 vectors, the same for both adapters. The engine multiplies in the IDF of the readable passages at query time.

Words are the engine's: lower-cased, without stop words, stemmed; identifiers are held in parts by them. As a whole, and `camelCase` in
parts, they add terms of their own, which do not count in the text's length: no other term weighs less for them.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009). The average length is fixed:
a measured one would tell how long the documents are that the reader may not see, and ranks no better.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import qdrant_edge

from retrieval.adapters.qdrant.payload import storable
from retrieval.domain.identifiers import codes, humps, identifiers, wholes, without_codes, words

TERM_SATURATION = 1.2
LENGTH_NORMALISATION = 0.75
AVERAGE_TOKENS = 128

_MODEL = qdrant_edge.Bm25(qdrant_edge.Bm25Config(k=TERM_SATURATION, b=LENGTH_NORMALISATION, avg_len=AVERAGE_TOKENS))
CODE_PART_WEIGHT = 0.5
"""`ERR-1042` is sought with weight 1, `err` and `1042` with this one: what has the parts elsewhere ranks below."""
WHOLE_WEIGHT = 0.25
"""Of other identifiers, whose parts are sought with weight 1."""
HUMP_WEIGHT = 0.5
"""Of the parts of `retryPolicy`. The three were chosen on scifact.train and nfcorpus.dev, where nDCG@10 hardly depends on them."""
_COUNTING_SATURATION = 4096
"""So high that a weight tells the count exactly, in float32, for the longest passage."""
_COUNTING = qdrant_edge.Bm25(qdrant_edge.Bm25Config(k=_COUNTING_SATURATION, b=0.0, avg_len=1))


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
    """Each term of the text with its saturated frequency."""
    stored = storable(text)
    further = [*wholes(stored), *humps(stored)]
    if not further:
        vector = _MODEL.embed_document(stored)
        return Terms(vector.indices, vector.values)
    counts = _counts(stored)
    saturation = TERM_SATURATION * (1 - LENGTH_NORMALISATION + LENGTH_NORMALISATION * sum(counts.values()) / AVERAGE_TOKENS)
    for term, count in _counts(" ".join(further)).items():
        counts[term] = counts.get(term, 0) + count
    return Terms(sorted(counts), [counts[term] * (TERM_SATURATION + 1) / (saturation + counts[term]) for term in sorted(counts)])


def query_terms(text: str) -> Terms:
    """Each distinct term with its weight: 1, less what makes an identifier count more than once; none for stop words and marks alone."""
    stored = storable(text)
    found = codes(stored)
    plain = without_codes(stored) if found else stored
    weighed = [(plain, 1.0), (" ".join(wholes(" ".join(found))), 1.0), (" ".join(found), CODE_PART_WEIGHT)]
    weighed += [(" ".join(wholes(plain)), WHOLE_WEIGHT), (" ".join(humps(stored)), HUMP_WEIGHT)]
    weights: dict[int, float] = {}
    for sought, weight in weighed:
        for term in _MODEL.embed_query(sought).indices if sought else ():
            weights.setdefault(term, weight)
    return Terms(sorted(weights), [weights[term] for term in sorted(weights)])


def sought_words(text: str) -> tuple[str, ...]:
    """What `query_terms` stands for, in words: identifiers first, then the words of the query that are no stop words, each once."""
    stored = storable(text)
    found = [*identifiers(stored), *words(stored), *humps(stored)]
    return tuple(dict.fromkeys(word.lower() for word in found if len(query_terms(word))))


def _counts(text: str) -> dict[int, int]:
    """Term to how often it stands in the text, from a model whose weights can be turned back into counts."""
    vector = _COUNTING.embed_document(text)
    return {
        term: round(weight * _COUNTING_SATURATION / (_COUNTING_SATURATION + 1 - weight))
        for term, weight in zip(vector.indices, vector.values, strict=True)
    }
