"""One open shard of the embedded Qdrant engine: creating, searching and changing it. Not: which shard serves, see `edge.py`.

The engine releases Python's global lock while it searches and writes, so request threads run beside each other;
it does not while it flushes (up to .4 s) or optimises (35 s for 20,000 random vectors), hence few flushes, and
optimising in a process of its own.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import qdrant_edge as engine

from retrieval.adapters.qdrant.bm25 import Terms, passage_terms
from retrieval.adapters.qdrant.collection import (
    ACCESS_CLASS,
    CLASS_EVER,
    GAPS,
    INTEGER_INDEXES,
    KEYWORD_INDEXES,
    LEXICAL,
    SOURCE,
    TEXT,
    UPSERT_POINTS,
    VALID_FROM,
    VALID_TO,
    WORDS,
    IndexIdentity,
    vector_name,
)
from retrieval.adapters.qdrant.filters import Filters
from retrieval.adapters.qdrant.legs import LegRequest
from retrieval.adapters.qdrant.payload import HeldPassage, by_class, held_passage, intervals_in, payload_of, points_of
from retrieval.adapters.qdrant.planner import DensePlan
from retrieval.adapters.qdrant.shard_terms import ShardTerms
from retrieval.adapters.qdrant.term_counts import Counted
from retrieval.adapters.qdrant.vectors import vector_names, vectors_on_point, with_vectors
from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.passages import IndexedDocument
from retrieval.domain.permissions import AccessScope
from retrieval.domain.runs import Hit, Leg
from retrieval.ports.models import Vectors
from retrieval.ports.writing import Reclassification

_FILTERS: Filters[engine.Filter] = Filters(
    any_of=lambda key, values: engine.FieldCondition(key=key, match=engine.MatchAny(any=values)),
    has_phrase=lambda words: engine.FieldCondition(key=WORDS, match=engine.MatchPhrase(words)),
    has_id=lambda ids: engine.HasIdCondition(set(ids)),
    at_most=lambda key, most: engine.FieldCondition(key=key, range=engine.RangeFloat(lte=most)),
    above=lambda key, least: engine.FieldCondition(key=key, range=engine.RangeFloat(gt=least)),
    nested=engine.NestedCondition,
    combine=lambda must, must_not: engine.Filter(must=must, must_not=must_not or None),
)
_SCROLL_POINTS = 1_000
_COUNTED_BY = [CLASS_EVER, SOURCE, VALID_FROM, VALID_TO, GAPS]


class EdgeShard:
    """An open shard. Safe for many readers beside one writer; the caller keeps it to one writer."""

    def __init__(self, shard: engine.EdgeShard, identity: IndexIdentity, *, is_empty: bool) -> None:
        self._shard = shard
        self._identity = identity
        self._terms = ShardTerms(self._counted, is_empty=is_empty)

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
        return cls(shard, identity, is_empty=True)

    @classmethod
    def load(cls, directory: Path, identity: IndexIdentity) -> "EdgeShard":
        """A shard that was created with this identity. Raises IndexUnavailable when the files are missing, damaged or in use."""
        with translated("opening"):
            found = cls(engine.EdgeShard.load(str(directory)), identity, is_empty=False)
        found._terms.counts()
        return found

    def ask(self, scope: AccessScope, sources: Sequence[str], requests: Sequence[LegRequest]) -> list[list[Hit]]:
        readable = _FILTERS.readable(scope, sources=sources)
        queries = []
        for request in requests:
            narrowed = request.passages or request.phrases
            within = _FILTERS.readable(scope, sources=sources, passages=request.passages, phrases=request.phrases) if narrowed else readable
            queries.append(_query(self._terms.weighed(scope, sources, request), within=within, dense=self._identity.name_of(request.model)))
        with translated("searching"):
            answers = self._shard.query_batch(engine.QueryBatchRequest(queries))
        return [[Hit(str(point.id), point.score) for point in points] for points in answers]

    def readable_passages(self, scope: AccessScope) -> int:
        """How many passages the scope's classes hold, now or at its moment."""
        return self._terms.readable(scope)

    def nearest(self, classes: Sequence[int], vector: Sequence[float], *, limit: int, plan: DensePlan, model: str = "") -> list[Hit]:
        """The dense leg within these access classes. For measuring the index; knows no reader."""
        within = _FILTERS.of_classes(classes)
        request = LegRequest(Leg.DENSE, vector, limit, plan)
        with translated("measuring"):
            points = self._shard.query(_query(request, within=within, dense=self._identity.name_of(model)))
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

    def vectors(self, scope: AccessScope, passages: Sequence[str], *, model: str = "") -> Mapping[str, Vectors]:
        if scope.is_empty or not passages:
            return {}
        name = self._identity.name_of(model)
        request = engine.ScrollRequest(
            limit=len(passages), filter=_FILTERS.readable(scope, passages=passages), with_payload=False, with_vector=[name]
        )
        with translated("reading vectors"):
            records, _ = self._shard.scroll(request)
        found = {str(record.id): cast(dict[str, list[float]], record.vector or {}).get(name) for record in records}
        return {passage: np.array(vector, dtype=np.float32) for passage, vector in found.items() if vector}

    def replace(self, documents: Sequence[IndexedDocument]) -> int:
        """Make the shard hold exactly these documents. New points come before old ones go. Returns the points written."""
        if not documents:
            return 0
        names = [document.document for document in documents]
        points = points_of(documents)
        kept = [point.passage.id for point in points]
        with self._terms.recounting(names) as counted:
            counted.extend(self._write(points))
            with translated("deleting"):
                self._shard.update(engine.UpdateOperation.delete_points_by_filter(_FILTERS.replaced(names, keep=kept)))
        return len(kept)

    def add(self, documents: Sequence[IndexedDocument]) -> int:
        """Write these documents' passages, none of which is there yet, and look for nothing to remove. Returns the points written."""
        with self._terms.recounting(()) as counted:
            counted.extend(self._write(points_of(documents)))
        return len(counted)

    def reclassify(self, changes: Sequence[Reclassification]) -> None:
        for access_class, documents in by_class(changes).items():
            moved = (
                engine.UpdateOperation.set_payload_by_filter(_FILTERS.current_of_documents(documents), {ACCESS_CLASS: access_class}),
                engine.UpdateOperation.set_payload_by_filter(_FILTERS.of_documents(documents), {CLASS_EVER: access_class}),
            )
            with self._terms.recounting(documents) as counted:
                held = self._counted(documents)
                counted.extend(replace(passage, access_class=access_class) for passage in held)
                with translated("reclassifying"):
                    for update in moved:
                        self._shard.update(update)

    def contents(self) -> Iterator[HeldPassage]:
        """Every point, whole, in the order of ids. For comparing an index with the catalog; knows no reader."""
        offset: int | uuid.UUID | str | None = None
        while True:
            request = engine.ScrollRequest(offset=offset, limit=_SCROLL_POINTS, with_payload=True, with_vector=vector_names(self._identity))
            with translated("reading everything"):
                records, offset = self._shard.scroll(request)
            for record in records:
                held = held_passage(record.id, record.payload or {})
                yield replace(held, passage=with_vectors(self._identity, held.passage, record.vector))
            if offset is None:
                return

    def _write(self, points: Sequence[HeldPassage]) -> list[Counted]:
        """Returns what was written as it is to be counted."""
        counted = []
        for at in range(0, len(points), UPSERT_POINTS):
            written = []
            for point in points[at : at + UPSERT_POINTS]:
                terms = passage_terms(point.passage.embedded_text)
                written.append(_point(point, terms, self._identity))
                counted.append(Counted(point.access_class, point.source, terms.hashes, point.intervals))
            with translated("writing"):
                self._shard.update(engine.UpdateOperation.upsert_points(written))
        return counted

    def _counted(self, documents: Sequence[str]) -> list[Counted]:
        """What the shard holds of these documents, or of all when none is named, as it is counted."""
        within = _FILTERS.of_documents(documents) if documents else None
        counted: list[Counted] = []
        offset: int | uuid.UUID | str | None = None
        while True:
            request = engine.ScrollRequest(
                offset=offset, limit=_SCROLL_POINTS, filter=within, with_payload=_COUNTED_BY, with_vector=[LEXICAL]
            )
            with translated("counting terms"):
                records, offset = self._shard.scroll(request)
            counted += [_counted(record) for record in records]
            if offset is None:
                return counted

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
        vectors={
            vector_name(model): engine.EdgeVectorParams(size=dimensions, distance=engine.Distance.Dot, memory=engine.Memory.Cached)
            for model, dimensions in identity.models.items()
        },
        sparse_vectors={LEXICAL: engine.EdgeSparseVectorParams(memory=engine.Memory.Cached)},
        payload_memory=engine.Memory.Cold,
    )


def _word_index() -> engine.TextIndexParams:
    """Whole tokens as they are, with their order. Without links of its own in the dense graph: they would take longest to build."""
    return engine.TextIndexParams(
        tokenizer=engine.TokenizerType.Whitespace, lowercase=False, phrase_matching=True, enable_hnsw=False, memory=engine.Memory.Cold
    )


def _query(request: LegRequest, *, within: engine.Filter, dense: str) -> engine.QueryRequest:
    if request.leg is Leg.LEXICAL:
        assert isinstance(request.vector, Terms)
        query = engine.Query.Nearest(_sparse(request.vector), using=LEXICAL)
        params = None
    else:
        assert not isinstance(request.vector, Terms)
        query = engine.Query.Nearest(list(request.vector), using=dense)
        params = _dense_params(request)
    return engine.QueryRequest(limit=request.limit, query=query, filter=within, params=params)


def _dense_params(request: LegRequest) -> engine.SearchParams:
    if request.plan.exact:
        return engine.SearchParams(exact=True)
    below = request.plan.acorn_below
    acorn = engine.AcornSearchParams(enable=True, max_selectivity=below) if below else None
    return engine.SearchParams(hnsw_ef=max(request.plan.ef, 2 * request.limit), acorn=acorn)


def _counted(record: engine.Record) -> Counted:
    payload, vectors = record.payload or {}, record.vector
    terms = vectors.get(LEXICAL) if isinstance(vectors, dict) else None
    hashes = terms.indices if isinstance(terms, engine.SparseVector) else ()
    return Counted(int(payload[CLASS_EVER]), str(payload[SOURCE]), hashes, intervals_in(payload))


def _point(point: HeldPassage, terms: Terms, identity: IndexIdentity) -> engine.Point:
    vectors: dict[str, list[float] | engine.SparseVector | list[list[float]]] = {
        **vectors_on_point(identity, point.passage),
        LEXICAL: _sparse(terms),
    }
    return engine.Point(point.passage.id, vectors, payload_of(point))


def _sparse(terms: Terms) -> engine.SparseVector:
    return engine.SparseVector(list(terms.hashes), list(terms.weights))
