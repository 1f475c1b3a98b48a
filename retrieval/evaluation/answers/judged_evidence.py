"""Questions of which it is known where in which document the answer stands, with the passages that evidence is chosen from.

- scifact: claims with the abstract that decides them and its evidence sentences (Wadden et al., "Fact or Fiction: Verifying Scientific
  Claims", EMNLP 2020). The abstract is given, cut into passages as the pipeline would cut it; nothing is retrieved.
- xquad_en: questions with the span of the answer. clapnq_dev: questions with the sentences that support a long answer. Both are retrieved
  by the product's own read path over the whole collection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.domain.answers import Citation, RetrievedPassage
from retrieval.domain.documents import Span
from retrieval.domain.evidence import Evidence
from retrieval.domain.ids import document_id, passage_id, version_id
from retrieval.domain.passages import ReadablePassage, embedded_text
from retrieval.domain.queries import Query
from retrieval.domain.runs import FusedHit
from retrieval.evaluation.answers.gold import SCIFACT, Match, abstracts, gold_sentences, gold_spans, sentence_spans
from retrieval.evaluation.corpus_index import EVALUATION
from retrieval.evaluation.judged import Split
from retrieval.evaluation.ranking import Asked, open_collection
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.models import Embedder, TokenVectors, Vectors, token_embedder
from retrieval.settings import Settings

ASKED = ("xquad_en", "clapnq_dev")
"""Collections whose questions are asked of the whole collection."""
_SPECIAL_TOKENS = 3


@dataclass(frozen=True)
class JudgedQuestion:
    """One question, what evidence is chosen from, and where the gold evidence is.

    Attributes:
        vector: the question's, shape (dimensions,).
        hits: best first.
        query: the question's tokens; None where the model tells of none.
        tokens: by passage id.
        gold: document id to spans of its text.
    """

    id: str
    text: str
    vector: Vectors
    hits: tuple[RetrievedPassage, ...]
    query: TokenVectors | None
    tokens: Mapping[str, TokenVectors]
    gold: Mapping[str, tuple[Span, ...]]
    match: Match

    def found(self, evidence: Evidence) -> frozenset[tuple[str, Span]]:
        """The gold spans that it shows."""
        start = evidence.passage.span.start
        span = Span(start + evidence.within.start, start + evidence.within.end)
        document = evidence.passage.document
        return frozenset((document, gold) for gold in self.gold.get(document, ()) if self._shows(span, gold))

    @property
    def spans(self) -> int:
        return sum(map(len, self.gold.values()))

    def _shows(self, span: Span, gold: Span) -> bool:
        if self.match is Match.CONTAINS:
            return span.contains(gold)
        shared = min(span.end, gold.end) - max(span.start, gold.start)
        return 2 * shared >= min(len(span), len(gold))


def asked_questions(settings: Settings, embedder: Embedder, cache: VectorCache, directory: Path, split: Split) -> list[JudgedQuestion]:
    """The judged questions of one half of a collection of `ASKED`, each with the hits that an answer may quote."""
    gold = gold_spans(directory)
    with open_collection(directory, embedder, cache, depth=settings.query_depth, progress=lambda *_told: None) as search:
        return [_asked(settings, asked, gold[asked.id]) for asked in search(split).asked if asked.id in gold]


def claims(settings: Settings, embedder: Embedder, cache: VectorCache, directory: Path, split: str) -> list[JudgedQuestion]:
    """SciFact's claims of one split (`train`, `validation`), each once for every abstract that holds evidence for or against it."""
    telling = token_embedder(embedder)
    gold = gold_sentences(directory, split)
    found = abstracts(directory, {document for _, document in gold})
    passages = {id_: _passages(id_, title, sentences, embedder, settings) for id_, (title, sentences) in found.items()}
    flat = [passage for cut in passages.values() for passage in cut]
    vectors, tokens = _embedded(flat, cache)
    asked = cache.vectors(f"{SCIFACT}.claims.{split}", [text for _, text in (gold[key][0] for key in gold)])
    questions = []
    for ((_claim, document), ((id_, text), numbers)), vector in zip(gold.items(), asked, strict=True):
        given = passages[document]
        hits = _given(given, [float(vectors[passage.id] @ vector) for passage in given])
        spans = tuple(sentence_spans(found[document][1])[number] for number in sorted(numbers))
        query = telling.query_tokens(text) if telling is not None else None
        known = {passage.id: tokens[passage.id] for passage in given if passage.id in tokens}
        gold_of = {given[0].document: spans}
        questions.append(JudgedQuestion(id_, text, vector, hits, query, known, gold_of, Match.OVERLAPS))
    return questions


def _asked(settings: Settings, asked: Asked, gold: tuple[Mapping[str, tuple[Span, ...]], Match]) -> JudgedQuestion:
    service = asked.index.service(settings)
    hits = service.retrieve(EVALUATION, Query(asked.text, top_k=settings.answer_passages, depth=settings.query_depth)).hits
    query, tokens = service.ranking.token_vectors(asked.index.scope, asked.text, [hit.passage.id for hit in hits])
    return JudgedQuestion(asked.id, asked.text, asked.vector, hits, query, tokens, *gold)


def _passages(id_: str, title: str, sentences: Sequence[str], embedder: Embedder, settings: Settings) -> list[ReadablePassage]:
    """Whole sentences up to what the model reads, as passages of one document."""
    text = " ".join(sentences)
    title_tokens, *counts = embedder.count_tokens([title, *sentences])
    most = min(settings.chunk_max_tokens, embedder.max_tokens) - title_tokens - _SPECIAL_TOKENS
    cuts: list[Span] = []
    held = 0
    for span, count in zip(sentence_spans(sentences), counts, strict=True):
        if cuts and held + count <= most:
            cuts[-1], held = Span(cuts[-1].start, span.end), held + count
        else:
            cuts.append(span)
            held = count
    name = document_id(SCIFACT, id_)
    version = version_id(name, 1)
    return [
        ReadablePassage(
            passage_id(version, number), name, version, 1, SCIFACT, number, cut, cut.of(text), None, (), title, "", "text/plain", None, 1
        )
        for number, cut in enumerate(cuts)
    ]


def _embedded(passages: Sequence[ReadablePassage], cache: VectorCache) -> tuple[Mapping[str, Vectors], Mapping[str, TokenVectors]]:
    texts = [embedded_text(passage.title, passage.text) for passage in passages]
    ids = [passage.id for passage in passages]
    if cache.tokens is None:
        return dict(zip(ids, cache.vectors(f"{SCIFACT}.abstracts", texts), strict=True)), {}
    vectors, tokens = cache.tokens.passages(f"{SCIFACT}.abstracts", texts, [passage.title for passage in passages])
    return dict(zip(ids, vectors, strict=True)), dict(zip(ids, tokens, strict=True))


def _given(passages: Sequence[ReadablePassage], cosines: Sequence[float]) -> tuple[RetrievedPassage, ...]:
    """As hits of the dense leg alone."""
    ranked = sorted(zip(passages, cosines, strict=True), key=lambda pair: (-pair[1], pair[0].id))
    return tuple(
        RetrievedPassage(rank, cosine, passage, Citation.of(passage), FusedHit(passage.id, cosine, None, None, rank, cosine))
        for rank, (passage, cosine) in enumerate(ranked, 1)
    )
