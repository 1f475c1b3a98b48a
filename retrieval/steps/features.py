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
from retrieval.ports.models import TokenVectors
from retrieval.steps.token_text import Floats, TokenText, directions, rarity

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
    text = TokenText.of(found)
    likeness = directions(query.vectors) @ text.vectors.T
    same = query.ids[:, None] == text.ids[None, :]
    occurs = text.of_passages(same)
    weight = rarity(occurs, len(found))
    weight = weight / weight.sum()
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


def _adjacency(query: TokenVectors, same: npt.NDArray[np.bool_], text: TokenText) -> Floats:
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
