"""One open shard of the embedded Qdrant engine: creating, searching and changing it. Not: which shard serves, see `edge.py`.

The engine releases Python's global lock while it searches and writes, so request threads run beside each other;
it does not while it flushes (up to .4 s) or optimises (35 s for 20,000 random vectors), hence few flushes, and
optimising in a process of its own.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import qdrant_edge as engine

from retrieval.adapters.qdrant.bm25 import Terms, passage_terms
from retrieval.adapters.qdrant.collection import (
    ACCESS_CLASS,
    DENSE,
    INTEGER_INDEXES,
    KEYWORD_INDEXES,
    LEXICAL,
    TEXT,
    UPSERT_POINTS,
    WORDS,
    IndexIdentity,
)
from retrieval.adapters.qdrant.filters import Filters
from retrieval.adapters.qdrant.legs import LegRequest
from retrieval.adapters.qdrant.payload import HeldPassage, by_class, held_passage, payload_of
from retrieval.adapters.qdrant.planner import DensePlan
from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.passages import IndexedDocument, IndexedPassage
from retrieval.domain.permissions import AccessScope
from retrieval.domain.runs import Hit, Leg
from retrieval.ports.writing import Reclassification

_FILTERS: Filters[engine.Filter] = Filters(
    any_of=lambda key, values: engine.FieldCondition(key=key, match=engine.MatchAny(any=values)),
    has_phrase=lambda words: engine.FieldCondition(key=WORDS, match=engine.MatchPhrase(words)),
    has_id=lambda ids: engine.HasIdCondition(set(ids)),
    combine=lambda must, must_not: engine.Filter(must=must, must_not=must_not or None),
)
_SCROLL_POINTS = 1_000


class EdgeShard:
    """An open shard. Safe for many readers beside one writer; the caller keeps it to one writer."""

    def __init__(self, shard: engine.EdgeShard) -> None:
        self._shard = shard

    @classmethod
    def create(cls, directory: Path, identity: IndexIdentity) -> "EdgeShard":
        """A new, empty shard in a directory that does not exist yet."""
        directory.mkdir(parents=True)
        with translated("creating"):
            shard = engine.EdgeShard.create(str(directory), _config(identity))
            for field in INTEGER_INDEXES:
                shard.update(engine.UpdateOperation.create_field_index(field, engine.PayloadSchemaType.Integer))
            for field in KEYWORD_INDEXES:
                shard.update(engine.UpdateOperation.create_field_index(field, engine.PayloadSchemaType.Keyword))
            shard.update(engine.UpdateOperation.create_field_index(WORDS, _word_index()))
        return cls(shard)

    @classmethod
    def load(cls, directory: Path) -> "EdgeShard":
        """Raises IndexUnavailable when the files are missing, damaged or in use."""
        with translated("opening"):
            return cls(engine.EdgeShard.load(str(directory)))

    def ask(self, scope: AccessScope, sources: Sequence[str], requests: Sequence[LegRequest]) -> list[list[Hit]]:
        readable = _FILTERS.readable(scope, sources=sources)
        queries = []
        for request in requests:
            narrowed = request.passages or request.phrases
            within = _FILTERS.readable(scope, sources=sources, passages=request.passages, phrases=request.phrases) if narrowed else readable
            queries.append(_query(request, within=within, idf_corpus=readable))
        with translated("searching"):
            answers = self._shard.query_batch(engine.QueryBatchRequest(queries))
        return [[Hit(str(point.id), point.score) for point in points] for points in answers]

    def nearest(self, classes: Sequence[int], vector: Sequence[float], *, limit: int, plan: DensePlan) -> list[Hit]:
        """The dense leg within these access classes. For measuring the index; knows no reader."""
        within = _FILTERS.of_classes(classes)
        request = LegRequest(Leg.DENSE, vector, limit, plan)
        with translated("measuring"):
            points = self._shard.query(_query(request, within=within, idf_corpus=within))
        return [Hit(str(point.id), point.score) for point in points]

    def texts(self, scope: AccessScope, passages: Sequence[str]) -> Mapping[str, str]:
        if scope.is_empty or not passages:
            return {}
        request = engine.ScrollRequest(
            limit=len(passages), filter=_FILTERS.readable(scope, passages=passages), with_payload=[TEXT], with_vector=False
        )
        with translated("reading texts"):
            records, _ = self._shard.scroll(request)
        return {str(record.id): str((record.payload or {})[TEXT]) for record in records}

    def replace(self, documents: Sequence[IndexedDocument]) -> int:
        """Make the shard hold exactly these documents. New points come before old ones go. Returns the points written."""
        if not documents:
            return 0
        written = self.add(documents)
        kept = [passage.id for document in documents for passage in document.passages]
        gone = _FILTERS.replaced([document.document for document in documents], keep=kept)
        with translated("deleting"):
            self._shard.update(engine.UpdateOperation.delete_points_by_filter(gone))
        return written

    def add(self, documents: Sequence[IndexedDocument]) -> int:
        """Write these documents' passages and look for nothing to remove. Returns the points written."""
        pairs = [(document, passage) for document in documents for passage in document.passages]
        for at in range(0, len(pairs), UPSERT_POINTS):
            points = [_point(document, passage) for document, passage in pairs[at : at + UPSERT_POINTS]]
            with translated("writing"):
                self._shard.update(engine.UpdateOperation.upsert_points(points))
        return len(pairs)

    def reclassify(self, changes: Sequence[Reclassification]) -> None:
        for access_class, documents in by_class(changes).items():
            moved = engine.UpdateOperation.set_payload_by_filter(_FILTERS.of_documents(documents), {ACCESS_CLASS: access_class})
            with translated("reclassifying"):
                self._shard.update(moved)

    def contents(self) -> Iterator[HeldPassage]:
        """Every point, whole, in the order of ids. For comparing an index with the catalog; knows no reader."""
        offset: int | uuid.UUID | str | None = None
        while True:
            request = engine.ScrollRequest(offset=offset, limit=_SCROLL_POINTS, with_payload=True, with_vector=[DENSE])
            with translated("reading everything"):
                records, offset = self._shard.scroll(request)
            for record in records:
                assert isinstance(record.vector, dict)
                yield held_passage(record.id, record.payload or {}, cast("list[float]", record.vector[DENSE]))
            if offset is None:
                return

    def passages(self) -> int:
        with translated("counting"):
            return self._shard.count(engine.CountRequest(exact=True))

    def optimise(self) -> None:
        """Merge segments and build the graphs. Holds Python's global lock throughout: only in a process of its own."""
        with translated("optimising"):
            self._shard.optimize()

    def flush(self) -> None:
        """Returns when everything written so far survives a power failure."""
        with translated("flushing"):
            self._shard.flush()

    def close(self) -> None:
        with translated("closing"):
            self._shard.close()


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """The seam for the engine's errors.

    Raises:
        IndexUnavailable: the engine failed; the cause is kept.
    """
    try:
        yield
    except IndexUnavailable:
        raise
    except Exception as error:  # the engine raises bare Exception for every failure of its own
        raise IndexUnavailable(f"the embedded index failed while {doing}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # pyo3's, which cannot be imported: damaged files may cause one
            raise
        raise IndexUnavailable(f"the embedded index failed badly while {doing}") from error


def _config(identity: IndexIdentity) -> engine.EdgeConfig:
    """Vectors and terms in mapped files that the page cache holds, payload on disk: the process stays small."""
    return engine.EdgeConfig(
        vectors={DENSE: engine.EdgeVectorParams(size=identity.dimensions, distance=engine.Distance.Dot, memory=engine.Memory.Cached)},
        sparse_vectors={LEXICAL: engine.EdgeSparseVectorParams(modifier=engine.Modifier.Idf, memory=engine.Memory.Cached)},
        payload_memory=engine.Memory.Cold,
    )


def _word_index() -> engine.TextIndexParams:
    """Whole tokens as they are, with their order. Without links of its own in the dense graph: they would take longest to build."""
    return engine.TextIndexParams(
        tokenizer=engine.TokenizerType.Whitespace, lowercase=False, phrase_matching=True, enable_hnsw=False, memory=engine.Memory.Cold
    )


def _query(request: LegRequest, *, within: engine.Filter, idf_corpus: engine.Filter) -> engine.QueryRequest:
    if request.leg is Leg.LEXICAL:
        assert isinstance(request.vector, Terms)
        query = engine.Query.Nearest(_sparse(request.vector), using=LEXICAL)
        params = engine.SearchParams(idf=engine.IdfParams(corpus=idf_corpus))
    else:
        assert not isinstance(request.vector, Terms)
        query = engine.Query.Nearest(list(request.vector), using=DENSE)
        params = _dense_params(request)
    return engine.QueryRequest(limit=request.limit, query=query, filter=within, params=params)


def _dense_params(request: LegRequest) -> engine.SearchParams:
    if request.plan.exact:
        return engine.SearchParams(exact=True)
    below = request.plan.acorn_below
    acorn = engine.AcornSearchParams(enable=True, max_selectivity=below) if below else None
    return engine.SearchParams(hnsw_ef=max(request.plan.ef, 2 * request.limit), acorn=acorn)


def _point(document: IndexedDocument, passage: IndexedPassage) -> engine.Point:
    vectors: dict[str, list[float] | engine.SparseVector | list[list[float]]] = {
        DENSE: [float(x) for x in passage.vector],
        LEXICAL: _sparse(passage_terms(passage.embedded_text)),
    }
    return engine.Point(passage.id, vectors, payload_of(document, passage))


def _sparse(terms: Terms) -> engine.SparseVector:
    return engine.SparseVector(list(terms.hashes), list(terms.weights))
