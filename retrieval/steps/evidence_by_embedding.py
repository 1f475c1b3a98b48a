"""Support of sentences where the model tells of no tokens: their words, their embeddings and those of their passages.

    support = 0.3 * lexical share + 0.4 * sentence similarity + 0.3 * passage similarity

The similarities are cosines with the question. All three are 0 to 1 and support grows with each. Embedding is what this costs, so only the
sentences that the other two parts put first are embedded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.domain.runs import SCORE_DECIMALS
from retrieval.ports.models import Embedder, Vectors
from retrieval.steps.quotable import Quotable, Supported, says_the_same
from retrieval.steps.token_text import Floats

LEXICAL_WEIGHT = 0.3
SENTENCE_WEIGHT = 0.4
PASSAGE_WEIGHT = 0.3
"""Chosen, like the numbers below, on halves of XQuAD and CLAP NQ; the other halves are what is reported."""
PASSAGE_PRIOR = 0.5
"""How much the passage's similarity counts beside the lexical share when choosing what to embed."""
PRIOR_CUT = 0.6
"""A sentence is embedded only with this part of the best one's prior: below it none was chosen, and a quarter of the cost goes."""


@dataclass(frozen=True)
class ByEmbedding:
    """How sentences are compared with the question where the model tells of no tokens.

    Attributes:
        vector: the question's.
        embedder: the one that made `vector`.
        most: sentences that are embedded; the others are no evidence.
    """

    vector: Vectors
    embedder: Embedder
    most: int


def by_embedding(candidates: Sequence[Quotable], shares: Floats, model: ByEmbedding) -> list[Supported]:
    """Those that are worth embedding, in no order. `shares` has one lexical share for each candidate."""
    shortlist = _shortlist(candidates, shares, most=model.most)
    vectors = model.embedder.embed([candidates[at].text for at in shortlist])
    cosines = np.clip(vectors @ model.vector, 0.0, 1.0)
    return [_supported(candidates[at], float(shares[at]), float(cosine)) for at, cosine in zip(shortlist, cosines, strict=True)]


def _shortlist(candidates: Sequence[Quotable], shares: Floats, *, most: int) -> list[int]:
    """Positions of the candidates most worth embedding, best first, without near duplicates."""
    priors = [
        round(float(share) + PASSAGE_PRIOR * (sentence.passage_similarity or 0.0), SCORE_DECIMALS)
        for sentence, share in zip(candidates, shares, strict=True)
    ]
    least = PRIOR_CUT * max(priors)
    kept: list[int] = []
    for at in sorted(range(len(candidates)), key=lambda at: (-priors[at], candidates[at].place)):
        if len(kept) == most or priors[at] < least:
            break
        if not any(says_the_same(candidates[at].text, candidates[other].text) for other in kept):
            kept.append(at)
    return kept


def _supported(sentence: Quotable, share: float, similarity: float) -> Supported:
    """Where the passage's similarity is unknown, the sentence's own stands in for it."""
    passage = similarity if sentence.passage_similarity is None else sentence.passage_similarity
    support = round(LEXICAL_WEIGHT * share + SENTENCE_WEIGHT * similarity + PASSAGE_WEIGHT * passage, SCORE_DECIMALS)
    return Supported(sentence, support, {"lexical": share, "sentence": similarity, "passage": passage})
