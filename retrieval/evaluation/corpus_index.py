"""A judged collection in the product's own embedded index: one document is one passage, its title the prefix, readable by everybody."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge_shard import EdgeShard
from retrieval.adapters.qdrant.legs import search_legs
from retrieval.adapters.qdrant.planner import DenseLimits
from retrieval.domain.ids import document_id, passage_id, version_id
from retrieval.domain.passages import IndexedDocument, IndexedPassage, embedded_text
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.domain.runs import Hit, Run
from retrieval.evaluation.judged import Corpus, JudgedDocument
from retrieval.ports.models import Vectors
from retrieval.ports.reading import LegRuns, LegSearch

_CLASS = 1


class CorpusIndex:
    """Searches with both legs and answers in the collection's own document ids."""

    def __init__(self, shard: EdgeShard, documents: Mapping[str, str], scope: AccessScope) -> None:
        self._shard = shard
        self._documents = documents
        self._scope = scope

    def search(self, text: str, vector: Vectors, *, depth: int) -> LegRuns:
        found = search_legs(self._shard, self._scope, LegSearch(text, vector, depth), limits=DenseLimits())
        return LegRuns(self._judged(found.lexical), self._judged(found.dense))

    def _judged(self, run: Run) -> Run:
        return Run(run.leg, tuple(Hit(self._documents[hit.passage], hit.score) for hit in run.hits))


def indexed_text(document: JudgedDocument) -> str:
    """What is embedded and indexed of a document."""
    return embedded_text(document.title, document.text)


@contextmanager
def open_corpus_index(corpus: Corpus, vectors: Vectors, *, model: str) -> Iterator[CorpusIndex]:
    """An index of the whole collection in a temporary directory. `vectors` has one row for each document, in order."""
    indexed = [_indexed(corpus.name, document, vector.tolist()) for document, vector in zip(corpus.documents, vectors, strict=True)]
    passages = {one.passages[0].id: document.id for one, document in zip(indexed, corpus.documents, strict=True)}
    scope = AccessScope(Principal("evaluation"), (_CLASS,), revision=1, readable_passages=len(indexed))
    with TemporaryDirectory() as directory:
        shard = EdgeShard.create(Path(directory) / "shard", IndexIdentity(model, vectors.shape[1]))
        try:
            shard.add(indexed)
            yield CorpusIndex(shard, passages, scope)
        finally:
            shard.close()


def _indexed(collection: str, document: JudgedDocument, vector: Sequence[float]) -> IndexedDocument:
    name = document_id(collection, document.id)
    version = version_id(name, 1)
    passage = IndexedPassage(passage_id(version, 0), 0, document.text, document.title, vector)
    return IndexedDocument(name, collection, _CLASS, version, valid_from=1, passages=(passage,))
