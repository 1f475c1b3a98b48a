"""The sentences and table rows of retrieved passages that may be quoted, and what their words alone tell.

BM25 with low saturation and length normalisation, because a sentence hardly repeats a term and a longer one is no worse a quote.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rank_bm25 import BM25Plus

from retrieval.domain.answers import RetrievedPassage
from retrieval.domain.documents import Span
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.terms import NEGATIONS, terms, words
from retrieval.domain.units import CELL_SEPARATOR, units
from retrieval.steps.token_text import Floats

TERM_SATURATION = 0.5
LENGTH_NORMALISATION = 0.3
"""BM25's k1 and b."""
DUPLICATE_OVERLAP = 0.8
"""Two sentences with this part of their words in common say the same, unless they differ in a number or a negation."""
HEADING_WORDS = 3
"""Words of a numbered heading that ends in a full stop ("4. Revolving credit facility.")."""

_CLOSING_MARKS = (".", "!", "…", "\u3002", "\uff01")
_QUESTION_MARKS = ("?", "\uff1f")
_CLOSERS = "\"'\u201d\u2019»)]}*_ "


@dataclass(frozen=True)
class Quotable:
    """A sentence that may be quoted.

    Attributes:
        hit: the number of its passage among the hits, from 0.
        within: where it stands in its passage's text.
        terms: at least one.
        passage_similarity: cosine of its passage and the question, 0 to 1; None when the dense leg did not find the passage.
    """

    hit: int
    passage: ReadablePassage
    within: Span
    text: str
    terms: tuple[str, ...]
    passage_similarity: float | None

    @property
    def place(self) -> tuple[str, int]:
        """For ties: by passage id and position."""
        return self.passage.id, self.within.start


@dataclass(frozen=True)
class Supported:
    """A candidate with its support and what that is made of."""

    sentence: Quotable
    support: float
    parts: Mapping[str, float]


def asked_terms(question: str) -> tuple[str, ...]:
    """The question's terms, each once."""
    return tuple(dict.fromkeys(terms(question)))


def sentences_of(hits: Sequence[RetrievedPassage]) -> list[list[Span]]:
    """Of each hit every sentence and table row, as spans of its passage's text."""
    return [list(units(hit.passage.text)) for hit in hits]


def quotable(asked: Sequence[str], hits: Sequence[RetrievedPassage], sentences: Sequence[Sequence[Span]]) -> list[Quotable]:
    """The hits' sentences without headings, questions and what has no terms: they look like the question but tell nothing."""
    return [found for number, (hit, cut) in enumerate(zip(hits, sentences, strict=True)) for found in _of_hit(asked, number, hit, cut)]


def lexical_shares(asked: Sequence[str], candidates: Sequence[Quotable]) -> Floats:
    """Each candidate's BM25 score as a part of the most that the terms `asked` can score; all 0 when nothing is asked.

    BM25+ without its lower bound (delta 0) is BM25 with an IDF that stays positive in a corpus of a few sentences. A term that no
    candidate has counts most of all.
    """
    ranking = BM25Plus([sentence.terms for sentence in candidates], k1=TERM_SATURATION, b=LENGTH_NORMALISATION, delta=0)
    rarest = math.log(len(candidates) + 1)
    attainable: float = sum(ranking.idf.get(term, rarest) for term in asked) * (TERM_SATURATION + 1)
    if attainable == 0:
        return np.zeros(len(candidates), dtype=np.float32)
    shares: Floats = (ranking.get_scores(asked) / attainable).astype(np.float32)
    return shares


def says_the_same(one: str, other: str) -> bool:
    """Whether nearly all words are shared, and no number or negation is in one alone."""
    left, right = set(words(one)), set(words(other))
    if any(word in NEGATIONS or any(map(str.isdigit, word)) for word in left ^ right):
        return False
    return len(left & right) >= DUPLICATE_OVERLAP * len(left | right)


def _of_hit(asked: Sequence[str], number: int, hit: RetrievedPassage, cut: Sequence[Span]) -> Iterator[Quotable]:
    similarity = None if hit.fused.dense_score is None else min(max(hit.fused.dense_score, 0.0), 1.0)
    headings = {heading.casefold() for heading in (hit.passage.title, *hit.passage.heading_path)}
    for within in cut:
        text = within.of(hit.passage.text)
        found = tuple(terms(text))
        if found and text.casefold() not in headings and not _tells_nothing(text, found, asked):
            yield Quotable(number, hit.passage, within, text, found, similarity)


def _tells_nothing(text: str, found: Sequence[str], asked: Sequence[str]) -> bool:
    """Whether it is itself a question, or reads like a heading: no term beyond those asked, and no full stop or but a few words."""
    end = text.rstrip(_CLOSERS)
    if end.endswith(_QUESTION_MARKS):
        return True
    if CELL_SEPARATOR in text or not set(found) <= set(asked):
        return False
    return not end.endswith(_CLOSING_MARKS) or len(words(text)) <= HEADING_WORDS
