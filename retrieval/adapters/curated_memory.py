"""Curated answers in this process's memory: which of them were said to the question that is asked now.

A question's words are counted in every way to ask every curated answer, whoever asks; the few that share enough of them are compared by
their vectors. One that the asker does not read is left out before anything is counted or cut, and costs some microseconds: far less
than two requests differ by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import numpy.typing as npt

from retrieval.domain.clock import Clock
from retrieval.domain.curated import CuratedAnswer, CuratedMatch, CuratedState
from retrieval.domain.permissions import AccessScope
from retrieval.domain.same_question import AskedWords, agree, asked_words
from retrieval.ports.learning import CuratedFeed, CuratedNews, DocumentNow
from retrieval.ports.models import Embedder, Vectors

Rows = npt.NDArray[np.int32]
_DECIMALS = 4
"""To which similarities are compared: what differs by less is float noise."""
_FLOAT_NOISE = 1e-9


@dataclass(frozen=True)
class _Known:
    """What the catalog said last. Never changed, only replaced, so that readers need no lock."""

    change: int = -1
    revision: int = -1
    answers: Mapping[str, CuratedAnswer] = field(default_factory=dict)
    documents: Mapping[str, DocumentNow] = field(default_factory=dict)

    def with_news(self, news: CuratedNews) -> "_Known":
        answers = {**self.answers, **{answer.id: answer for answer in news.answers}} if news.answers else self.answers
        documents = {**self.documents, **news.documents} if news.documents else self.documents
        return _Known(news.change, news.revision, answers, documents)


@dataclass(frozen=True)
class _Way:
    """One way to ask for one curated answer."""

    curated: str
    text: str
    words: AskedWords


@dataclass(frozen=True)
class _Ways:
    """All of them that have a vector; row n of `vectors` is that of `ways[n]`.

    Attributes:
        rows_with: term to the rows of the ways that hold it, ascending.
        terms: of each way, how many different ones it has.
    """

    ways: tuple[_Way, ...]
    vectors: Sequence[Vectors]
    rows_with: Mapping[str, Rows]
    terms: Rows

    @classmethod
    def of(cls, ways: Sequence[_Way], vectors: Sequence[Vectors]) -> "_Ways":
        rows_with: dict[str, list[int]] = {}
        for row, way in enumerate(ways):
            for term in way.words.terms:
                rows_with.setdefault(term, []).append(row)
        arrays = {term: np.array(rows, dtype=np.int32) for term, rows in rows_with.items()}
        return cls(tuple(ways), tuple(vectors), arrays, np.array([len(way.words.terms) for way in ways], dtype=np.int32))

    def overlapping(self, words: AskedWords, *, least: float) -> Rows:
        """Rows of ways that share enough of the terms: `AskedWords.overlap`, for all of them at once."""
        shared = np.zeros(len(self.ways), dtype=np.int32)
        for term in words.terms:
            if term in self.rows_with:
                shared[self.rows_with[term]] += 1
        either = self.terms + len(words.terms) - shared
        return np.flatnonzero((shared > 0) & (shared >= least * either - _FLOAT_NOISE)).astype(np.int32)


class CuratedMemory:
    """`CuratedSearch`. `refresh`, called in the background, embeds what is new; everything else is as the catalog says at each call."""

    def __init__(self, feed: CuratedFeed, embedder: Embedder, clock: Clock, *, min_similarity: float, min_overlap: float) -> None:
        self._feed = feed
        self._embedder = embedder
        self._clock = clock
        self._min_similarity = min_similarity
        self._min_overlap = min_overlap
        self._known = _Known()
        self._ways = _Ways.of((), ())
        self._lock = Lock()

    def nearest(
        self, scope: AccessScope, question: str, vector: Vectors, *, model: str, sources: Sequence[str] = (), most: int = 1
    ) -> tuple[CuratedMatch, ...]:
        known, ways = self._caught_up(), self._ways
        words, now = asked_words(question), self._clock.now()
        if model != self._embedder.model:
            return ()
        found: dict[str, float] = {}
        for row in ways.overlapping(words, least=self._min_overlap):
            way = ways.ways[row]
            answer = known.answers.get(way.curated)  # it may be newer than what was known a moment ago
            if answer is None or not _is_readable(answer, known.documents, scope, frozenset(sources)):
                continue
            similarity = round(min(1.0, float(ways.vectors[row] @ vector)), _DECIMALS)
            asks_the_same = similarity >= self._min_similarity and agree(words, way.words, min_overlap=self._min_overlap)
            if asks_the_same and way.text in _asked_as(answer) and answer.state_at(now) is CuratedState.ACTIVE:
                found[answer.id] = max(found.get(answer.id, similarity), similarity)
        ordered = sorted(found, key=lambda id_: (-found[id_], -known.answers[id_].at.timestamp(), id_))
        return tuple(CuratedMatch(id_, found[id_]) for id_ in ordered[:most])

    def refresh(self) -> None:
        """Embed the questions that have no vector yet under the model. Called by one thread."""
        known = self._caught_up()
        usable = [answer for _, answer in sorted(known.answers.items()) if answer.state in (CuratedState.ACTIVE, CuratedState.SUSPENDED)]
        wanted = [(answer.id, text) for answer in usable for text in _asked_as(answer)]
        before = self._ways
        at = {(way.curated, way.text): row for row, way in enumerate(before.ways)}
        if wanted == list(at):
            return
        new = self._vectors({text for curated, text in wanted if (curated, text) not in at})
        ways: list[_Way] = []
        rows: list[Vectors] = []
        for curated, text in wanted:
            row = at.get((curated, text))
            ways.append(_Way(curated, text, asked_words(text)) if row is None else before.ways[row])
            rows.append(new[text] if row is None else before.vectors[row])
        self._ways = _Ways.of(ways, rows)

    def _vectors(self, texts: set[str]) -> Mapping[str, Vectors]:
        model = self._embedder.model
        found = dict(self._feed.vectors(model, sorted(texts)))
        new = {text: self._embedder.embed_query(text) for text in sorted(texts - found.keys())}
        if new:
            self._feed.store_vectors(model, new)
        return found | new

    def _caught_up(self) -> _Known:
        """As the catalog says now. Of two threads that ask at once, the one that heard the older news leaves the newer in place."""
        known = self._known
        news = self._feed.news(change=known.change, revision=known.revision)
        if (news.change, news.revision) == (known.change, known.revision):
            return known
        with self._lock:
            if news.change >= self._known.change and news.revision >= self._known.revision:
                self._known = self._known.with_news(news)
            return self._known


def _is_readable(answer: CuratedAnswer, documents: Mapping[str, DocumentNow], scope: AccessScope, sources: frozenset[str]) -> bool:
    """Whether the scope reads every document that it cites, in the version that it cites."""
    for cited in answer.cites:
        document = documents.get(cited.document)
        if document is None or document.version != cited.version or not scope.reads(document.access_class):
            return False
    return not sources or all(cited.source in sources for cited in answer.cites)


def _asked_as(answer: CuratedAnswer) -> tuple[str, ...]:
    return (answer.question, *(text for text in answer.paraphrases if text != answer.question))
