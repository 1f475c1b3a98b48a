"""What is looked at to tell how far a sentence bears on a question: its words, its tokens, what stands around it, and its passage.

Products are `dot`, which unlike `@` does not look at the processor's flags: its kernels raise some of them where nothing is wrong.

Everything is computed from the question and the hits, the rarity of a word as well, so that no passage outside of them shows.
"""

import re
from collections.abc import Sequence

import numpy as np

from retrieval.domain.answers import RetrievedPassage
from retrieval.steps.question_kind import QuestionKind, holds, kind_of
from retrieval.steps.quotable import Quotable
from retrieval.steps.sentence_tokens import Nearness
from retrieval.steps.token_text import Floats, rarity

TOKEN_FEATURES = (
    "likeness",
    "rare_likeness",
    "uncommon_likeness",
    "untitled_likeness",
    "telling_likeness",
    "coverage",
    "uncommon_coverage",
    "untitled_coverage",
    "titled_likeness",
    "titled_rare_likeness",
    "covered_with_context",
    "sharp_likeness",
    "lowest_likeness",
    "highest_likeness",
    "likeness_before",
    "likeness_after",
    "pooled",
    "backwards",
    "adjacency",
    "passage_likeness",
    "passage_coverage",
    "position",
    "first",
    "last",
)
WORD_FEATURES = ("lexical", "passage", "passage_rank", "length", "holds", "lacks", "numbers")
FEATURES = TOKEN_FEATURES + WORD_FEATURES
"""Names of the columns."""

_COMMONEST_ID = 1990
"""The vocabulary of the bundled model numbers whole words from about here on, the more common first: a number tells how rare a word is
in the language, which a few passages about one thing cannot."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def features(question: str, hits: Sequence[RetrievedPassage], candidates: Sequence[Quotable], shares: Floats, near: Nearness) -> Floats:
    """Shape (candidates, columns): `FEATURES`. `shares` has each candidate's lexical share."""
    columns = [near.column(sentence.hit, sentence.within.start) for sentence in candidates]
    return np.hstack([_token_features(near)[columns], _word_features(question, hits, candidates, shares)]).astype(np.float32)


def _token_features(near: Nearness) -> Floats:
    """Shape (sentences, columns): `TOKEN_FEATURES` of every sentence of the hits."""
    likeness, same = near.likeness, near.same
    of_sentence = near.passages
    title, title_same = near.title_likeness[:, of_sentence], near.title_same[:, of_sentence]
    even = np.full(len(near.query), 1 / len(near.query), dtype=np.float32)
    rare = _shared(rarity(same, same.shape[1]))
    uncommon = _shared(np.log(np.maximum(near.query.astype(np.float32) - _COMMONEST_ID, 2)))
    untitled = _shared(rare * (1 - np.clip(near.title_likeness.max(axis=1), 0, 1)))
    telling = _shared(likeness.std(axis=1))
    titled = np.maximum(likeness, title)
    before = near.neighbour(likeness, -1)
    ordered = np.sort(likeness, axis=0)
    third, half = max(1, len(even) // 3), max(1, len(even) // 2)
    position = np.arange(len(of_sentence)) - near.firsts[of_sentence]
    lasts = near.lengths - 1
    return np.stack(
        [
            even.dot(likeness),
            rare.dot(likeness),
            uncommon.dot(likeness),
            untitled.dot(likeness),
            telling.dot(likeness),
            rare.dot(same),
            uncommon.dot(same),
            untitled.dot(same),
            even.dot(titled),
            rare.dot(titled),
            rare.dot(np.maximum(np.maximum(same, near.neighbour(same, -1)), title_same)),
            even.dot(np.clip(likeness, 0, 1) ** 3),
            ordered[:third].mean(axis=0),
            ordered[-half:].mean(axis=0),
            rare.dot(before),
            rare.dot(near.neighbour(likeness, 1)),
            near.pooled,
            near.backwards,
            near.adjacency,
            rare.dot(near.passage_likeness[:, of_sentence]),
            rare.dot(near.passage_same[:, of_sentence]),
            position / np.maximum(lasts, 1),
            position == 0,
            position == lasts,
        ],
        axis=1,
    )


def _word_features(question: str, hits: Sequence[RetrievedPassage], candidates: Sequence[Quotable], shares: Floats) -> Floats:
    """Shape (candidates, columns): `WORD_FEATURES`."""
    kind, asked = kind_of(question), set(_NUMBER.findall(question))
    rows = []
    for sentence, share in zip(candidates, shares, strict=True):
        held = None if kind in (QuestionKind.OTHER, QuestionKind.STATEMENT) else holds(kind, sentence.text, question)
        numbers = len(asked & set(_NUMBER.findall(sentence.text))) / len(asked) if asked else 0.0
        rank = hits[sentence.hit].rank
        length = np.log1p(len(sentence.terms))
        rows.append((share, sentence.passage_similarity or 0.0, 1 / rank, length, held is True, held is False, numbers))
    return np.array(rows, dtype=np.float32)


def _shared(weights: Floats) -> Floats:
    """As parts of their sum; even where that is 0."""
    total = float(weights.sum())
    shared: Floats = weights / total if total > 0 else np.full(len(weights), 1 / len(weights))
    return shared.astype(np.float32)
