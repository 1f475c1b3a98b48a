"""A judged collection in the product's own embedded index: one document is one passage, its title the prefix, readable by everybody.

The service that answers over it is the product's own, so that what is measured is what callers get. Only what a collection has not got
stands in for the catalog: who may read (everybody), which passages are live (all) and the audit log (nobody is shown anything).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from retrieval.adapters.graph.memory import MemoryGraph
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge_shard import EdgeShard
from retrieval.adapters.qdrant.legs import search_legs
from retrieval.adapters.qdrant.planner import DenseLimits
from retrieval.domain.audit import AuditEntry
from retrieval.domain.documents import Span
from retrieval.domain.entities import facts_of
from retrieval.domain.errors import NotReadable
from retrieval.domain.ids import document_id, passage_id, version_id
from retrieval.domain.passages import IndexedDocument, IndexedPassage, ReadablePassage, Stretch, embedded_text
from retrieval.domain.permissions import EVERYONE, AccessScope, Principal
from retrieval.domain.sources import Classification
from retrieval.evaluation.judged import Corpus, JudgedDocument
from retrieval.ports.graph import GraphDocument
from retrieval.ports.graph_search import GraphSearch
from retrieval.ports.models import Embedder, TokenVectors, Vectors
from retrieval.ports.reading import Candidate, DocumentPage, Gated, LegRuns, LegSearch, ReadableDocument
from retrieval.ports.writing import Change
from retrieval.service import KnowledgeService
from retrieval.settings import Settings

EVALUATION = Principal("evaluation")
_CLASS = 1
_REVISION = 1


class CorpusIndex:
    """`PassageSearch` over a collection.

    Attributes:
        corpus: the collection.
        embedder: of its passages and queries.
        passages: passage id to what the gate gives out of it; in the order of the corpus.
        matrix: shape (documents, dimensions), the vector of each passage in that order.
        scope: everything.
    """

    def __init__(self, shard: EdgeShard, corpus: Corpus, vectors: Vectors, embedder: Embedder, tokens: Sequence[TokenVectors] = ()) -> None:
        self._shard = shard
        self._services: dict[str, KnowledgeService] = {}
        self.corpus = corpus
        self.embedder = embedder
        self.matrix = vectors
        self.passages: Mapping[str, ReadablePassage] = {
            passage.id: passage for passage in (_readable(corpus.name, document) for document in corpus.documents)
        }
        self._tokens = dict(zip(self.passages, tokens, strict=True)) if tokens else {}
        self.scope = AccessScope(EVALUATION, (_CLASS,), revision=_REVISION, readable_passages=len(self.passages))
        self.walks: GraphSearch = _graph(self.passages.values())
        self._documents = dict(zip(self.passages, (document.id for document in corpus.documents), strict=True))

    def search(self, scope: AccessScope, search: LegSearch) -> LegRuns:
        return search_legs(self._shard, scope, search, limits=DenseLimits())

    def texts(self, scope: AccessScope, passages: Sequence[str]) -> Mapping[str, str]:
        return self._shard.texts(scope, passages)

    def vectors(self, scope: AccessScope, passages: Sequence[str], *, model: str = "") -> Mapping[str, Vectors]:
        return self._shard.vectors(scope, passages, model=model)

    def tokens(self, scope: AccessScope, model: str, wanted: Sequence[str]) -> Mapping[str, TokenVectors]:
        assert scope == self.scope
        assert model == self.embedder.model, "the tokens are of another model"
        return {passage: self._tokens[passage] for passage in wanted if passage in self._tokens}

    def revision(self) -> int:
        return _REVISION

    def service(self, settings: Settings) -> KnowledgeService:
        """The product's read path with these settings over this collection."""
        key = settings.model_dump_json()
        if key not in self._services:
            shelf = _Shelf(self)
            self._services[key] = KnowledgeService(
                settings, shelf, shelf, shelf, self, self.embedder, _NobodyLooks(), tokens=self, walks=self.walks
            )
        return self._services[key]

    def documents(self, passages: Sequence[str]) -> list[str]:
        """The collection's own ids of the documents that these passages are."""
        return [self._documents[passage] for passage in passages]


def _graph(passages: Iterable[ReadablePassage]) -> MemoryGraph:
    """The knowledge graph of the collection, as the pipeline would have it."""
    graph = MemoryGraph()
    found = [(passage, facts_of(passage.id, title=passage.title, heading_path=(), text=passage.text)) for passage in passages]
    graph.load(_Facts([GraphDocument(passage.document, passage.source, _CLASS, (facts,)) for passage, facts in found]))
    return graph


def indexed_text(document: JudgedDocument) -> str:
    """What is embedded and indexed of a document."""
    return embedded_text(document.title, document.text)


@contextmanager
def open_corpus_index(
    corpus: Corpus, vectors: Vectors, *, embedder: Embedder, tokens: Sequence[TokenVectors] = ()
) -> Iterator[CorpusIndex]:
    """An index of the whole collection in a temporary directory. `vectors` and `tokens` have one for each document, in order."""
    indexed = [_indexed(corpus.name, document, vector.tolist()) for document, vector in zip(corpus.documents, vectors, strict=True)]
    with TemporaryDirectory() as directory:
        shard = EdgeShard.create(Path(directory) / "shard", IndexIdentity(embedder.model, vectors.shape[1]))
        try:
            shard.add(indexed)
            yield CorpusIndex(shard, corpus, vectors, embedder, tokens)
        finally:
            shard.close()


@dataclass(frozen=True)
class _Shelf:
    """What the service asks of the catalog, over documents that everybody may read and nobody changes."""

    index: CorpusIndex

    def scope(self, principal: Principal) -> AccessScope:
        assert principal == EVALUATION, "a collection is read by nobody but the evaluation"
        return self.index.scope

    def gate(self, principal: Principal, candidates: Sequence[Candidate], *, at_least: int = 0, as_of: int | None = None) -> Gated:
        del principal, at_least, as_of
        return Gated(tuple(self.index.passages[found.passage] for found in candidates), _REVISION, withheld=0, altered=())

    def extracts(self, principal: Principal, stretches: Sequence[Stretch], *, as_of: int | None = None) -> Mapping[Stretch, str]:
        del principal, as_of
        assert not stretches, "a document of a collection is one passage: none has neighbours"
        return {}

    def why(self, principal: Principal, documents: Sequence[str], *, as_of: int | None = None) -> Mapping[str, tuple[str, ...]]:
        del principal, as_of
        return dict.fromkeys(documents, (EVERYONE,))

    def document(self, principal: Principal, document: str) -> ReadableDocument:
        raise NotReadable("documents of a collection are not shown")

    def documents(self, principal: Principal, *, source: str | None, after: str, count: int) -> DocumentPage:
        raise NotReadable("documents of a collection are not shown")


@dataclass(frozen=True)
class _Facts:
    """`GraphFeed` of documents that never change."""

    held: Sequence[GraphDocument]

    def revision(self) -> int:
        return _REVISION

    def changes(self, after: int, *, limit: int) -> list[Change]:
        del after, limit
        return []

    def documents(self, wanted: Sequence[str]) -> list[GraphDocument]:
        return [document for document in self.held if document.document in wanted]

    @contextmanager
    def snapshot(self) -> Iterator[tuple[int, Iterator[GraphDocument]]]:
        yield _REVISION, iter(self.held)


class _NobodyLooks:
    """There is nobody to whom anything is shown."""

    def record(self, entry: AuditEntry) -> None:
        """Nothing is kept."""


def _indexed(collection: str, document: JudgedDocument, vector: Sequence[float]) -> IndexedDocument:
    name = document_id(collection, document.id)
    version = version_id(name, 1)
    passage = IndexedPassage(passage_id(version, 0), 0, document.text, document.title, vector)
    return IndexedDocument(name, collection, _CLASS, version, valid_from=_REVISION, passages=(passage,))


def _readable(collection: str, document: JudgedDocument) -> ReadablePassage:
    name = document_id(collection, document.id)
    version = version_id(name, 1)
    return ReadablePassage(
        id=passage_id(version, 0),
        document=name,
        version=version,
        version_number=1,
        source=collection,
        ordinal=0,
        span=Span(0, len(document.text)),
        text=document.text,
        page=None,
        heading_path=(),
        title=document.title,
        uri="",
        media_type="text/plain",
        modified_at=None,
        revision=_REVISION,
        access_class=_CLASS,
        classification=Classification.PUBLIC,
    )
