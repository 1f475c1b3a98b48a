"""What `/retrieve` must return, computed a second time: every readable passage scored by numpy, without index, engine or graph.

The product lends its tokenisation (`passage_terms`, `query_terms`) and nothing else. The formulas are the documented ones:

- BM25 with the IDF `ln(1 + (n - df + 0.5) / (df + 0.5))`, n and df counted over the readable passages alone. Computed in float32, the
  products of a passage added two at a time in the order of the terms' hashes, and rounded to 2 decimals.
- The scalar product with the query's vector, rounded to 5 decimals.
- Each leg keeps its best 100, ties by passage id. A passage's lexical share is its proportion of the leg's best score; its dense share
  goes from 1 for the leg's best to 0.4 for its last. The fused score is 0.55 lexical + 0.45 dense, rounded to 5 decimals, ties by id;
  4 decimals of it are shown.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from retrieval.adapters.qdrant.bm25 import passage_terms, query_terms
from tests.permissions.enterprise.installation import HeldPassage

LEXICAL_DECIMALS, DENSE_DECIMALS, FUSED_DECIMALS, SHOWN_DECIMALS = 2, 5, 5, 4
DEPTH = 100
LEXICAL_WEIGHT = 0.55
LAST_DENSE_SHARE = 0.4

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Ranked = list[tuple[str, float]]
"""Passages and scores, best first."""


class ExactRanking:
    """All passages in memory; who asks is a mask over them."""

    def __init__(self, passages: Sequence[HeldPassage]) -> None:
        self._ids = [passage.id for passage in passages]
        self._documents = [passage.document for passage in passages]
        self._vectors = np.array([passage.vector for passage in passages], dtype=np.float32)
        self._postings = _postings([passage.text for passage in passages])

    def readable(self, documents: set[str]) -> Mask:
        return np.array([document in documents for document in self._documents])

    def best(self, readable: Mask, text: str, vector: Floats, *, top_k: int) -> Ranked:
        """The first `top_k` of both legs together, with the scores that are shown."""
        lexical, dense = self.lexical(readable, text), self.dense(readable, vector)
        of_lexical, of_dense = _proportions(lexical), _stretched(dense)
        fused = [
            (passage, LEXICAL_WEIGHT * of_lexical.get(passage, 0.0) + (1 - LEXICAL_WEIGHT) * of_dense.get(passage, 0.0))
            for passage in dict(lexical) | dict(dense)
        ]
        rounded = _ordered((passage, round(score, FUSED_DECIMALS)) for passage, score in fused)
        return [(passage, round(score, SHOWN_DECIMALS)) for passage, score in rounded[:top_k]]

    def lexical(self, readable: Mask, text: str) -> Ranked:
        scores = np.zeros(len(self._ids))
        matched = np.zeros(len(self._ids), dtype=bool)
        passages = int(readable.sum())
        asked = query_terms(text)
        for pair in _pairs(sorted(zip(asked.hashes, asked.weights, strict=True))):
            summed = np.zeros(len(self._ids), dtype=np.float32)
            for term, weight in pair:
                rows, weights = self._readable_postings(term, readable)
                summed[rows] += weights * (np.float32(weight) * _idf(passages, len(rows)))
                matched[rows] = True
            scores += summed
        return self._ranked(np.flatnonzero(matched), scores, decimals=LEXICAL_DECIMALS)

    def dense(self, readable: Mask, vector: Floats) -> Ranked:
        return self._ranked(np.flatnonzero(readable), self._vectors @ vector, decimals=DENSE_DECIMALS)

    def _readable_postings(self, term: int, readable: Mask) -> tuple[Rows, Floats]:
        rows, weights = self._postings.get(term, (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)))
        kept = readable[rows]
        return rows[kept], weights[kept]

    def _ranked(self, rows: Rows, scores: npt.NDArray[np.floating], *, decimals: int) -> Ranked:
        """The first `DEPTH` of these rows after rounding. What rounding cannot lift over the cut is left out before it."""
        of_rows = scores[rows]
        if len(rows) > DEPTH:
            cut = np.partition(of_rows, -DEPTH)[-DEPTH] - 2 * 10.0**-decimals
            rows = rows[of_rows >= cut]
        rounded = [(self._ids[row], round(float(scores[row]), decimals)) for row in rows]
        return _ordered(rounded)[:DEPTH]


def _proportions(run: Ranked) -> dict[str, float]:
    best = run[0][1] if run else 0.0
    return {passage: score / best for passage, score in run if best > 0}


def _stretched(run: Ranked) -> dict[str, float]:
    if not run:
        return {}
    best, last = run[0][1], run[-1][1]
    if best == last:
        return dict.fromkeys(dict(run), 1.0)
    return {passage: LAST_DENSE_SHARE + (1 - LAST_DENSE_SHARE) * (score - last) / (best - last) for passage, score in run}


def _ordered(scored: Iterable[tuple[str, float]]) -> Ranked:
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))


def _idf(passages: int, holding: int) -> np.float32:
    rarity = (np.float32(passages) - np.float32(holding) + np.float32(0.5)) / (np.float32(holding) + np.float32(0.5))
    return np.float32(np.log(np.float64(rarity + np.float32(1.0))))


def _postings(texts: Sequence[str]) -> dict[int, tuple[Rows, Floats]]:
    """Each term's passages, by row, and its weights in them."""
    rows: dict[int, list[int]] = {}
    weights: dict[int, list[float]] = {}
    for row, text in enumerate(texts):
        terms = passage_terms(text)
        for term, weight in zip(terms.hashes, terms.weights, strict=True):
            rows.setdefault(term, []).append(row)
            weights.setdefault(term, []).append(weight)
    return {term: (np.array(rows[term]), np.array(weights[term], dtype=np.float32)) for term in rows}


def _pairs(terms: Sequence[tuple[int, float]]) -> list[Sequence[tuple[int, float]]]:
    return [terms[at : at + 2] for at in range(0, len(terms), 2)]
