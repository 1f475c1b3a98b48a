"""What the feature reranker looks at: for each of the best hits, how its legs, words, sentences and tokens bear on the query.

Everything is computed from the query and the hits themselves, the rarity of a word as well, so that no passage outside of them shows.
Tokens are compared by late interaction: each token of the query with its nearest of the passage (Khattab and Zaharia, "ColBERT", SIGIR
2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from retrieval.domain.runs import FusedHit, Leg
from retrieval.ports.models import SmallVectors, TokenVectors

Floats = npt.NDArray[np.float32]

LEG_FEATURES = ("lexical", "dense", "feedback", "lexical_rank", "dense_rank", "both", "query_length", "agreement")
TOKEN_FEATURES = (
    "tokens",
    "tokens_raw",
    "sentence",
    "sentence_raw",
    "title_tokens",
    "coverage",
    "sentence_coverage",
    "title_coverage",
    "adjacency",
    "length",
)
FEATURES = LEG_FEATURES + TOKEN_FEATURES
"""Names of the columns. `tokens`, `sentence`, `title_tokens` and `length` are standardised among the hits that are compared."""

_AGREEING = 10
_LEAST_DEVIATION = 0.01


@dataclass(frozen=True)
class Compared:
    """The hits to rerank with the tokens of the query and of each hit; no tokens where the model tells of none."""

    hits: Sequence[FusedHit]
    query: TokenVectors | None
    tokens: Sequence[TokenVectors | None]

    @property
    def with_tokens(self) -> bool:
        """Whether late interaction is possible for every hit: half of them could not be ranked with the other half."""
        return self.query is not None and len(self.query.ids) > 0 and all(found is not None for found in self.tokens)


def features(compared: Compared) -> Floats:
    """Shape (hits, columns): `FEATURES`, or `LEG_FEATURES` alone where tokens are missing."""
    legs = _leg_features(compared)
    return np.hstack([legs, _token_features(compared)]) if compared.with_tokens else legs


def _leg_features(compared: Compared) -> Floats:
    hits = compared.hits
    query_length = np.log1p(len(compared.query.ids) if compared.query is not None else 0)
    agreement = sum(_among_first(hit.lexical_rank) and _among_first(hit.dense_rank) for hit in hits) / _AGREEING
    rows = [
        (
            hit.shares.get(Leg.LEXICAL, 0.0),
            hit.shares.get(Leg.DENSE, 0.0),
            hit.shares.get(Leg.FEEDBACK, 0.0),
            1 / hit.lexical_rank if hit.lexical_rank else 0.0,
            1 / hit.dense_rank if hit.dense_rank else 0.0,
            float(hit.lexical_rank is not None and hit.dense_rank is not None),
            query_length,
            agreement,
        )
        for hit in hits
    ]
    return np.array(rows, dtype=np.float32).reshape(len(hits), len(LEG_FEATURES))


def _token_features(compared: Compared) -> Floats:
    query = compared.query
    assert query is not None
    found = [tokens for tokens in compared.tokens if tokens is not None]
    text = _Text.of(found)
    likeness = _directions(query.vectors) @ text.vectors.T
    same = query.ids[:, None] == text.ids[None, :]
    occurs = text.of_passages(same)
    rarity = _rarity(occurs, len(found))
    weight = rarity / rarity.sum()
    raw = weight @ text.of_passages(likeness)
    likeness_of_sentences = weight @ text.of_sentences(likeness)
    coverage_of_sentences = weight @ text.of_sentences(same)
    sentence_raw = text.best_sentence(likeness_of_sentences)
    return np.stack(
        [
            _standardised(raw),
            raw,
            _standardised(sentence_raw),
            sentence_raw,
            _standardised(text.of_titles(likeness_of_sentences)),
            weight @ occurs,
            text.best_sentence(coverage_of_sentences),
            text.of_titles(coverage_of_sentences),
            _adjacency(query, same, text),
            _standardised(np.log1p(text.lengths)),
        ],
        axis=1,
    ).astype(np.float32)


@dataclass(frozen=True)
class _Text:
    """The tokens of all hits one after the other.

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
    def of(cls, found: Sequence[TokenVectors]) -> "_Text":
        lengths = np.array([len(tokens.ids) for tokens in found])
        segments = np.concatenate([tokens.segments for tokens in found])
        passage = np.repeat(np.arange(len(found)), lengths)
        begins = np.flatnonzero(np.concatenate([[True], (segments[1:] != segments[:-1]) | (passage[1:] != passage[:-1])]))
        return cls(
            ids=np.concatenate([tokens.ids for tokens in found]),
            vectors=_directions(np.concatenate([tokens.vectors for tokens in found])),
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


def _directions(vectors: SmallVectors) -> Floats:
    numbers = vectors.astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", numbers, numbers))[:, None]
    directions: Floats = numbers / np.maximum(lengths, np.float32(1e-9))
    return directions


def _rarity(occurs: Floats, hits: int) -> Floats:
    """BM25's weight of each token of the query among the hits; shape (query tokens,)."""
    frequency = occurs.sum(axis=1)
    rarity: Floats = np.log1p((hits - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
    return rarity


def _adjacency(query: TokenVectors, same: npt.NDArray[np.bool_], text: _Text) -> Floats:
    """Share of the query's neighbouring tokens that are neighbours in the passage, too."""
    if len(query.ids) < 2:
        return np.zeros(len(text.lengths), dtype=np.float32)
    pairs = np.zeros((len(query.ids) - 1, same.shape[1]), dtype=np.float32)
    for at, (first, second) in enumerate(pairwise(same)):
        pairs[at, :-1] = first[:-1] & second[1:]
    pairs[:, text.passages[1:] - 1] = 0  # the last token of one passage and the first of the next
    adjacency: Floats = text.of_passages(pairs).mean(axis=0)
    return adjacency


def _standardised(values: npt.NDArray[np.generic]) -> Floats:
    numbers = values.astype(np.float32)
    standardised: Floats = (numbers - numbers.mean()) / max(float(numbers.std()), _LEAST_DEVIATION)
    return standardised


def _among_first(rank: int | None) -> bool:
    return rank is not None and rank <= _AGREEING
