"""One collection on a Qdrant server: creating, searching and changing it. Not: which collection serves, see `server.py`.

The applied revision is kept in the collection's metadata (Qdrant 1.16; the IDF of the readable passages needs 1.19 anyway)
rather than in a collection of its own: it is dropped, restored and copied together with the points it speaks of, so it
never claims points that are not there.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

from retrieval.adapters.qdrant.bm25 import Terms, passage_terms
from retrieval.adapters.qdrant.collection import (
    ACCESS_CLASS,
    CLASS_EVER,
    INTEGER_INDEXES,
    KEYWORD_INDEXES,
    LEXICAL,
    TEXT,
    UPSERT_POINTS,
    WORDS,
    IndexIdentity,
    vector_name,
)
from retrieval.adapters.qdrant.filters import Filters
from retrieval.adapters.qdrant.legs import LegRequest
from retrieval.adapters.qdrant.payload import HeldPassage, by_class, held_passage, payload_of, points_of
from retrieval.adapters.qdrant.vectors import vector_names, vectors_on_point, with_vectors
from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.passages import IndexedDocument
from retrieval.domain.permissions import AccessScope
from retrieval.domain.runs import Hit, Leg
from retrieval.ports.models import Vectors
from retrieval.ports.writing import Reclassification

APPLIED = "applied_revision"

_FILTERS: Filters[models.Filter] = Filters(
    any_of=lambda key, values: models.FieldCondition(key=key, match=models.MatchAny(any=values)),
    has_phrase=lambda words: models.FieldCondition(key=WORDS, match=models.MatchPhrase(phrase=words)),
    has_id=lambda ids: models.HasIdCondition(has_id=ids),
    at_most=lambda key, most: models.FieldCondition(key=key, range=models.Range(lte=most)),
    above=lambda key, least: models.FieldCondition(key=key, range=models.Range(gt=least)),
    nested=lambda key, within: models.NestedCondition(nested=models.Nested(key=key, filter=within)),
    combine=lambda must, must_not: models.Filter(must=must, must_not=must_not or None),
)
_SCROLL_POINTS = 1_000


class ServerCollection:
    """A collection by name or alias. Stateless but for the client, which is thread-safe. Writes wait until they are applied.

    Args:
        client: of the server.
        name: of the collection.
        identity: what it holds, or is going to hold; whose model is searched where nobody says.
    """

    def __init__(self, client: QdrantClient, name: str, identity: IndexIdentity) -> None:
        self._client = client
        self._identity = identity
        self.name = name

    def create(self) -> None:
        """A new, empty collection with its payload indexes."""
        identity = self._identity
        vectors = {
            vector_name(model): models.VectorParams(size=dimensions, distance=models.Distance.DOT)
            for model, dimensions in identity.models.items()
        }
        sparse = {LEXICAL: models.SparseVectorParams(modifier=models.Modifier.IDF)}
        metadata = {**identity.as_json(), APPLIED: 0}
        with translated("creating the collection"):
            self._client.create_collection(
                self.name, vectors_config=vectors, sparse_vectors_config=sparse, on_disk_payload=True, metadata=metadata
            )
            for field in INTEGER_INDEXES:
                self._client.create_payload_index(self.name, field, models.PayloadSchemaType.INTEGER, wait=True)
            for field in KEYWORD_INDEXES:
                self._client.create_payload_index(self.name, field, models.PayloadSchemaType.KEYWORD, wait=True)
            self._client.create_payload_index(self.name, WORDS, _word_index(), wait=True)

    def drop(self) -> None:
        with translated("dropping the collection"):
            self._client.delete_collection(self.name)

    def ask(self, scope: AccessScope, sources: Sequence[str], requests: Sequence[LegRequest]) -> list[list[Hit]]:
        readable = _FILTERS.readable(scope, sources=sources)
        queries = []
        for request in requests:
            narrowed = request.passages or request.phrases
            within = _FILTERS.readable(scope, sources=sources, passages=request.passages, phrases=request.phrases) if narrowed else readable
            queries.append(_query(request, within=within, idf_corpus=readable, dense=self._name_of(request.model)))
        with translated("searching"):
            answers = self._client.query_batch_points(self.name, requests=queries)
        return [[Hit(str(point.id), point.score) for point in answer.points] for answer in answers]

    def readable_passages(self, scope: AccessScope) -> int:
        """How many passages the scope's classes hold, now or at its moment."""
        with translated("counting"):
            return self._client.count(self.name, count_filter=_FILTERS.readable(scope), exact=True).count

    def texts(self, scope: AccessScope, passages: Sequence[str]) -> Mapping[str, str]:
        if scope.is_empty or not passages:
            return {}
        readable = _FILTERS.readable(scope, passages=passages)
        with translated("reading texts"):
            records, _ = self._client.scroll(
                self.name, scroll_filter=readable, limit=len(passages), with_payload=[TEXT], with_vectors=False
            )
        return {str(record.id): str((record.payload or {})[TEXT]) for record in records}

    def vectors(self, scope: AccessScope, passages: Sequence[str], *, model: str = "") -> Mapping[str, Vectors]:
        if scope.is_empty or not passages:
            return {}
        readable, name = _FILTERS.readable(scope, passages=passages), self._name_of(model)
        with translated("reading vectors"):
            records, _ = self._client.scroll(
                self.name, scroll_filter=readable, limit=len(passages), with_payload=False, with_vectors=[name]
            )
        found = {str(record.id): cast(dict[str, list[float]], record.vector or {}).get(name) for record in records}
        return {passage: np.array(vector, dtype=np.float32) for passage, vector in found.items() if vector}

    def replace(self, documents: Sequence[IndexedDocument]) -> None:
        """New points come before old ones go, so that a reader never finds a document gone that is only changing."""
        last = {document.document: document for document in documents}
        if not last:
            return
        points = points_of(list(last.values()))
        for at in range(0, len(points), UPSERT_POINTS):
            written = [_point(point, self._identity) for point in points[at : at + UPSERT_POINTS]]
            with translated("writing"):
                self._client.upsert(self.name, written, wait=True)
        gone = _FILTERS.replaced(list(last), keep=[point.passage.id for point in points])
        with translated("deleting"):
            self._client.delete(self.name, models.FilterSelector(filter=gone), wait=True)

    def reclassify(self, changes: Sequence[Reclassification]) -> None:
        for access_class, documents in by_class(changes).items():
            current = models.FilterSelector(filter=_FILTERS.current_of_documents(documents))
            every = models.FilterSelector(filter=_FILTERS.of_documents(documents))
            with translated("reclassifying"):
                self._client.set_payload(self.name, {ACCESS_CLASS: access_class}, current, wait=True)
                self._client.set_payload(self.name, {CLASS_EVER: access_class}, every, wait=True)

    def applied(self, revision: int) -> None:
        with translated("remembering the revision"):
            self._client.update_collection(self.name, metadata={APPLIED: revision})

    def applied_revision(self) -> int:
        with translated("reading the revision"):
            metadata = self._client.get_collection(self.name).config.metadata or {}
        return int(metadata.get(APPLIED, 0))

    def passages(self) -> int:
        with translated("counting"):
            return self._client.count(self.name, exact=True).count

    def contents(self) -> Iterator[HeldPassage]:
        """Every point, whole, in the order of ids. For comparing an index with the catalog; knows no reader."""
        offset: Any = None
        while True:
            with translated("reading everything"):
                records, offset = self._client.scroll(
                    self.name, limit=_SCROLL_POINTS, offset=offset, with_payload=True, with_vectors=vector_names(self._identity)
                )
            for record in records:
                held = held_passage(record.id, record.payload or {})
                yield replace(held, passage=with_vectors(self._identity, held.passage, record.vector))
            if offset is None:
                return

    def _name_of(self, model: str) -> str:
        """The server itself refuses vectors that the collection does not have."""
        return vector_name(model or self._identity.model)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """The seam for the client's errors; ValueError is how its local mode says 404.

    Raises:
        IndexUnavailable: the server does not answer, refuses, or has no such collection; the cause is kept.
    """
    try:
        yield
    except (ApiException, QdrantException, ValueError) as error:
        raise IndexUnavailable(f"the Qdrant server failed while {doing}, or the index has not been built yet") from error


def _word_index() -> models.TextIndexParams:
    """Whole tokens as they are, with their order. Without links of its own in the dense graph: they would take longest to build."""
    return models.TextIndexParams(
        type=models.TextIndexType.TEXT,
        tokenizer=models.TokenizerType.WHITESPACE,
        lowercase=False,
        phrase_matching=True,
        enable_hnsw=False,
        on_disk=True,
    )


def _query(request: LegRequest, *, within: models.Filter, idf_corpus: models.Filter, dense: str) -> models.QueryRequest:
    if request.leg is Leg.LEXICAL:
        assert isinstance(request.vector, Terms)
        query: Any = _sparse(request.vector)
        params = models.SearchParams(idf=models.IdfCorpusParams(corpus=idf_corpus))
        return models.QueryRequest(query=query, using=LEXICAL, filter=within, params=params, limit=request.limit)
    query = list(cast("Sequence[float]", request.vector))
    return models.QueryRequest(query=query, using=dense, filter=within, params=_dense_params(request), limit=request.limit)


def _dense_params(request: LegRequest) -> models.SearchParams:
    if request.plan.exact:
        return models.SearchParams(exact=True)
    below = request.plan.acorn_below
    acorn = models.AcornSearchParams(enable=True, max_selectivity=below) if below else None
    return models.SearchParams(hnsw_ef=max(request.plan.ef, 2 * request.limit), acorn=acorn)


def _point(point: HeldPassage, identity: IndexIdentity) -> models.PointStruct:
    passage = point.passage
    vectors: dict[str, Any] = {**vectors_on_point(identity, passage), LEXICAL: _sparse(passage_terms(passage.embedded_text))}
    return models.PointStruct(id=passage.id, vector=vectors, payload=payload_of(point))


def _sparse(terms: Terms) -> models.SparseVector:
    return models.SparseVector(indices=list(terms.hashes), values=list(terms.weights))
