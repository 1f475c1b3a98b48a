"""An answer made of quotes: the sentences of the retrieved passages that bear on the question, verbatim and cited.

Each sentence gets a support, and the answer quotes the best ones, or nothing:

    support = 0.3 * lexical share + 0.4 * sentence similarity + 0.3 * passage similarity

Lexical share is the sentence's BM25 score over the candidate sentences, as a part of the most that the question's terms could score; a term
that no candidate has counts most of all. The similarities are cosines with the question. All three are 0 to 1 and support grows with each.
Embedding is what an answer costs, so only the sentences that the other two parts put first are embedded.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rank_bm25 import BM25Plus

from retrieval.domain.answers import Answer, AnswerOutcome, AnswerSentence, Citation, Reason, Retrieved, RetrievedPassage
from retrieval.domain.documents import Span
from retrieval.domain.evidence import Evidence
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.runs import SCORE_DECIMALS
from retrieval.domain.terms import NEGATIONS, terms, words
from retrieval.domain.units import CELL_SEPARATOR, units
from retrieval.ports.models import Embedder, Vectors
from retrieval.steps.quotable import says_the_same

LEXICAL_WEIGHT = 0.3
SENTENCE_WEIGHT = 0.4
PASSAGE_WEIGHT = 0.3
"""Chosen, like the numbers below, on halves of XQuAD and CLAP NQ; the other halves are what is reported."""

PASSAGE_PRIOR = 0.5
"""How much the passage's similarity counts beside the lexical share when choosing what to embed."""
PRIOR_CUT = 0.6
"""A sentence is embedded only with this part of the best one's prior: below it none was chosen, and a quarter of the cost goes."""
TERM_SATURATION = 0.5
LENGTH_NORMALISATION = 0.3
"""BM25's k1 and b: low, because a sentence hardly repeats a term and a longer one is no worse a quote."""
RELATIVE_CUT = 0.8
"""A further sentence needs this part of the best one's support: an answer is not padded."""
DUPLICATE_OVERLAP = 0.8
"""Two sentences with this part of their words in common say the same, unless they differ in a number or a negation."""

HEADING_WORDS = 3
"""Words of a numbered heading that ends in a full stop ("4. Revolving credit facility.")."""

_CLOSING_MARKS = (".", "!", "…", "\u3002", "\uff01")
_QUESTION_MARKS = ("?", "\uff1f")
_CLOSERS = "\"'\u201d\u2019»)]}*_ "

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sentence:
    """A sentence that may be quoted.

    Attributes:
        within: where it stands in its passage's text.
        terms: at least one.
        passage_similarity: cosine of its passage and the question, 0 to 1; None when the dense leg did not find the passage.
    """

    passage: ReadablePassage
    within: Span
    text: str
    terms: tuple[str, ...]
    passage_similarity: float | None

    @property
    def place(self) -> tuple[str, int]:
        return self.passage.id, self.within.start


def answer_from(
    question: str,
    vector: Vectors,
    retrieved: Retrieved,
    embedder: Embedder,
    *,
    passages: int,
    embedded_sentences: int,
    max_sentences: int,
    min_support: float,
) -> Answer:
    """Quotes from the first `passages` hits, or an abstention when no sentence reaches `min_support`.

    Args:
        question: as it was asked.
        vector: the question's embedding.
        retrieved: hits that passed the gate; nothing else is quoted.
        embedder: the one that made `vector`.
        passages: how many hits may be quoted.
        embedded_sentences: most sentences that are embedded; the others are not quoted.
        max_sentences: most sentences in the answer.
        min_support: least support of a quoted sentence, 0 to 1.
    """
    asked = tuple(dict.fromkeys(terms(question)))
    candidates = [sentence for hit in retrieved.hits[:passages] for sentence in _quotable(hit, asked)]
    if not candidates:
        return Answer(AnswerOutcome.ABSTAINED, (), Reason.NOTHING_FOUND, retrieved)
    shares = lexical_shares(asked, candidates)
    shortlist = _shortlist(candidates, shares, limit=embedded_sentences)
    supported = _supported([candidates[at] for at in shortlist], shares[shortlist], vector, embedder)
    chosen = _chosen(supported, max_sentences=max_sentences, min_support=min_support)
    if not chosen:
        return Answer(AnswerOutcome.ABSTAINED, (), Reason.NOTHING_FOUND, retrieved)
    return Answer(
        AnswerOutcome.ANSWERED, tuple(_quote(sentence, support) for sentence, support in _in_reading_order(chosen)), None, retrieved
    )


def quotes(evidence: Sequence[Evidence], *, max_sentences: int, min_support: float) -> tuple[AnswerSentence, ...]:
    """The best of the evidence as sentences of an answer; none when nothing reaches `min_support`.

    Args:
        evidence: best first.
        max_sentences: most sentences in the answer.
        min_support: least support of a quoted sentence, 0 to 1.
    """
    if not evidence:
        return ()
    least = max(min_support, RELATIVE_CUT * evidence[0].support)
    kept: list[Evidence] = []
    for one in evidence:
        if len(kept) == max_sentences or one.support < least:
            break
        if not any(says_the_same(one.text, other.text) for other in kept):
            kept.append(one)
    if len({one.passage.id for one in kept}) == 1:
        kept.sort(key=lambda one: one.within.start)
    return tuple(AnswerSentence(one.text, one.citation, one.support) for one in kept)


def lexical_shares(asked: Sequence[str], candidates: Sequence[Sentence]) -> Floats:
    """Each candidate's BM25 score as a part of the most that the terms `asked` can score; all 0 when nothing is asked.

    BM25+ without its lower bound (delta 0) is BM25 with an IDF that stays positive in a corpus of a few sentences.
    """
    ranking = BM25Plus([sentence.terms for sentence in candidates], k1=TERM_SATURATION, b=LENGTH_NORMALISATION, delta=0)
    rarest = math.log(len(candidates) + 1)
    attainable: float = sum(ranking.idf.get(term, rarest) for term in asked) * (TERM_SATURATION + 1)
    if attainable == 0:
        return np.zeros(len(candidates))
    scores: Floats = ranking.get_scores(asked)
    return scores / attainable


def _quotable(hit: RetrievedPassage, asked: Sequence[str]) -> Iterator[Sentence]:
    """The hit's sentences without headings, questions and what has no terms: they look like the question but tell nothing."""
    similarity = None if hit.fused.dense_score is None else min(max(hit.fused.dense_score, 0.0), 1.0)
    headings = {heading.casefold() for heading in (hit.passage.title, *hit.passage.heading_path)}
    for within in units(hit.passage.text):
        text = within.of(hit.passage.text)
        found = tuple(terms(text))
        if found and text.casefold() not in headings and not _tells_nothing(text, found, asked):
            yield Sentence(hit.passage, within, text, found, similarity)


def _tells_nothing(text: str, found: Sequence[str], asked: Sequence[str]) -> bool:
    """Whether it is itself a question, or reads like a heading: no term beyond those asked, and no full stop or but a few words."""
    end = text.rstrip(_CLOSERS)
    if end.endswith(_QUESTION_MARKS):
        return True
    if CELL_SEPARATOR in text or not set(found) <= set(asked):
        return False
    return not end.endswith(_CLOSING_MARKS) or len(words(text)) <= HEADING_WORDS


def _shortlist(candidates: Sequence[Sentence], shares: Floats, *, limit: int) -> list[int]:
    """Positions of the candidates most worth embedding, best first, without near duplicates."""
    priors = [
        round(float(share) + PASSAGE_PRIOR * (sentence.passage_similarity or 0.0), SCORE_DECIMALS)
        for sentence, share in zip(candidates, shares, strict=True)
    ]
    least = PRIOR_CUT * max(priors)
    kept: list[int] = []
    for at in sorted(range(len(candidates)), key=lambda at: (-priors[at], candidates[at].place)):
        if len(kept) == limit or priors[at] < least:
            break
        if not any(_says_the_same(candidates[at].text, candidates[other].text) for other in kept):
            kept.append(at)
    return kept


def _says_the_same(one: str, other: str) -> bool:
    left, right = set(words(one)), set(words(other))
    if any(word in NEGATIONS or any(map(str.isdigit, word)) for word in left ^ right):
        return False
    return len(left & right) >= DUPLICATE_OVERLAP * len(left | right)


def _supported(shortlist: Sequence[Sentence], shares: Floats, vector: Vectors, embedder: Embedder) -> list[tuple[Sentence, float]]:
    """Each sentence with its support, best first, ties by passage id and position."""
    cosines = np.clip(embedder.embed([sentence.text for sentence in shortlist]) @ vector, 0.0, 1.0)
    supported = [
        (sentence, _support(float(share), float(cosine), sentence.passage_similarity))
        for sentence, share, cosine in zip(shortlist, shares, cosines, strict=True)
    ]
    return sorted(supported, key=lambda pair: (-pair[1], pair[0].place))


def _support(share: float, similarity: float, passage_similarity: float | None) -> float:
    """Where the passage's similarity is unknown, the sentence's own stands in for it."""
    passage = similarity if passage_similarity is None else passage_similarity
    return round(LEXICAL_WEIGHT * share + SENTENCE_WEIGHT * similarity + PASSAGE_WEIGHT * passage, SCORE_DECIMALS)


def _chosen(supported: Sequence[tuple[Sentence, float]], *, max_sentences: int, min_support: float) -> list[tuple[Sentence, float]]:
    least = max(min_support, RELATIVE_CUT * supported[0][1])
    return [(sentence, support) for sentence, support in supported[:max_sentences] if support >= least]


def _in_reading_order(chosen: Sequence[tuple[Sentence, float]]) -> Sequence[tuple[Sentence, float]]:
    """By position when all come from one passage; otherwise as they are, best first."""
    if len({sentence.passage.id for sentence, _ in chosen}) == 1:
        return sorted(chosen, key=lambda pair: pair[0].place)
    return chosen


def _quote(sentence: Sentence, support: float) -> AnswerSentence:
    return AnswerSentence(sentence.text, Citation.of(sentence.passage, within=sentence.within), support)
