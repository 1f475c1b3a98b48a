"""What confidence is learned from and judged by: questions of which it is known whether the collection answers them, and where.

- clapnq_dev: 300 questions with an answer and 300 without, each with a passage about the same. xquad_en: questions with the answer's span.
- scifact: claims with evidence for or against them, and claims for which what they cite has none.

What has an answer is asked twice: as it is, and of somebody who may not read the documents that hold it, which is how a company's
questions without an answer are. An answer is right where one of its quotes shows gold evidence, as `JudgedQuestion` says.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.domain.documents import Span
from retrieval.domain.ids import document_id
from retrieval.domain.passages import Stretch
from retrieval.domain.permissions import Principal
from retrieval.domain.queries import Query
from retrieval.evaluation.answers.gold import Match, gold_in_abstracts, gold_spans
from retrieval.evaluation.answers.judged_evidence import JudgedQuestion
from retrieval.evaluation.corpus_index import EVALUATION, CorpusIndex
from retrieval.evaluation.judged import Split, read_queries
from retrieval.evaluation.ranking import open_collection
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.models import Embedder
from retrieval.ports.reading import Candidate, Gated, GateReader
from retrieval.service import KnowledgeService
from retrieval.settings import Settings
from retrieval.steps.answer import quotes
from retrieval.steps.confidence import Signals, signals
from retrieval.steps.evidence import evidence
from retrieval.steps.evidence_by_embedding import ByEmbedding

COLLECTIONS = ("clapnq_dev", "scifact", "xquad_en")
SPLITS: Mapping[Split, str] = {Split.TRAIN: "train", Split.TEST: "validation"}
"""SciFact's names for the splits of its claims."""

Gold = Mapping[str, tuple[Span, ...]]


@dataclass(frozen=True)
class AskedAnswer:
    """One question as it was asked.

    Attributes:
        id: the question's; asked twice, it is the same.
        withheld: whether the documents that hold its answer were.
        answerable: whether what its asker may read answers it.
        is_right: whether the answer shows where.
        signals: none where there was no evidence.
    """

    collection: str
    id: str
    withheld: bool
    answerable: bool
    is_right: bool
    signals: Signals


def ask_for_tuning(settings: Settings, embedder: Embedder, cache: VectorCache, directory: Path) -> list[AskedAnswer]:
    """Even halves, and SciFact's training claims. `directory` is that of one collection."""
    return _ask(settings, embedder, cache, directory, Split.TRAIN if directory.name == "scifact" else Split.DEV)


def ask_for_reporting(settings: Settings, embedder: Embedder, cache: VectorCache, directory: Path) -> list[AskedAnswer]:
    """Odd halves, and SciFact's other claims."""
    return _ask(settings, embedder, cache, directory, Split.TEST)


def _ask(settings: Settings, embedder: Embedder, cache: VectorCache, directory: Path, split: Split) -> list[AskedAnswer]:
    with open_collection(directory, embedder, cache, depth=settings.query_depth, progress=lambda *_told: None) as search:
        index = search(split).asked[0].index
        asking = _Asking(settings, embedder, index)
        return [answer for question in _questions(directory, split) for answer in asking.ask(question)]


@dataclass(frozen=True)
class _Question:
    """`hidden`: the collection's documents that are relevant to it."""

    id: str
    text: str
    gold: Gold
    match: Match
    hidden: frozenset[str]


def _questions(directory: Path, split: Split) -> Iterator[_Question]:
    judged = read_queries(directory, split)
    relevant = {id_: frozenset(document for document, grade in grades.items() if grade > 0) for id_, grades in judged.qrels.items()}
    if directory.name == "scifact":
        gold = gold_in_abstracts(directory, SPLITS[split])
        for id_, text in judged.texts.items():
            yield _Question(id_, text, gold.get(id_, {}), Match.OVERLAPS, relevant[id_])
        return
    answers = gold_spans(directory)
    for id_, text in judged.texts.items():
        if id_ in answers:
            yield _Question(id_, text, *answers[id_], relevant[id_])
    for id_, text in _without_answer(directory)[split is Split.TEST :: 2]:
        yield _Question(id_, text, {}, Match.OVERLAPS, frozenset())


def _without_answer(directory: Path) -> list[tuple[str, str]]:
    lines = (directory / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return [(row["_id"], row["text"]) for row in map(json.loads, lines) if not row["answerable"]]


class _Asking:
    """Asks one collection through the product's own read path."""

    def __init__(self, settings: Settings, embedder: Embedder, index: CorpusIndex) -> None:
        self._settings = settings
        self._embedder = embedder
        self._index = index
        self._service = index.service(settings)

    def ask(self, question: _Question) -> Iterator[AskedAnswer]:
        yield self._answer(question, self._service, withheld=False)
        if question.gold:
            hidden = frozenset(document_id(self._index.corpus.name, document) for document in question.hidden)
            yield self._answer(question, replace(self._service, gate=_Without(self._service.gate, hidden)), withheld=True)

    def _answer(self, question: _Question, service: KnowledgeService, *, withheld: bool) -> AskedAnswer:
        settings = self._settings
        retrieved = service.retrieve(EVALUATION, Query(question.text, top_k=settings.answer_passages, depth=settings.query_depth))
        ids = [hit.passage.id for hit in retrieved.hits]
        query, tokens = service.ranking.token_vectors(self._index.scope, question.text, ids)
        vector = self._embedder.embed_query(question.text)
        otherwise = ByEmbedding(vector, self._embedder, settings.answer_embedded_sentences)
        found = evidence(question.text, retrieved.hits, query, tokens, otherwise=otherwise)
        quoted = {one.citation for one in quotes(found, max_sentences=settings.answer_max_sentences, min_support=0)}
        judged = JudgedQuestion(question.id, question.text, vector, retrieved.hits, query, tokens, question.gold, question.match)
        return AskedAnswer(
            self._index.corpus.name,
            question.id,
            withheld,
            bool(question.gold) and not withheld,
            any(judged.found(one) for one in found if one.citation in quoted),
            signals(question.text, retrieved, found, query, tokens),
        )


@dataclass(frozen=True)
class _Without:
    """`GateReader` to whom these documents are hidden."""

    gate_of_all: GateReader
    hidden: frozenset[str]

    def gate(self, principal: Principal, candidates: Sequence[Candidate], *, at_least: int = 0, as_of: int | None = None) -> Gated:
        gated = self.gate_of_all.gate(principal, candidates, at_least=at_least, as_of=as_of)
        readable = tuple(passage for passage in gated.readable if passage.document not in self.hidden)
        return replace(gated, readable=readable, withheld=len(gated.readable) - len(readable))

    def extracts(self, principal: Principal, stretches: Sequence[Stretch], *, as_of: int | None = None) -> Mapping[Stretch, str]:
        return self.gate_of_all.extracts(principal, stretches, as_of=as_of)

    def why(self, principal: Principal, documents: Sequence[str], *, as_of: int | None = None) -> Mapping[str, tuple[str, ...]]:
        return self.gate_of_all.why(principal, documents, as_of=as_of)
