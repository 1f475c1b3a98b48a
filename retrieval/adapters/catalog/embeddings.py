"""Embeddings by (model, hash of the embedded text): the same text is never embedded twice."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, func, insert, or_, select

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import document_versions, embeddings, passages, texts, token_vectors
from retrieval.domain.documents import VersionState
from retrieval.domain.ids import text_hash
from retrieval.domain.ingestion import EmbeddingWork
from retrieval.domain.passages import embedded_text

T = TypeVar("T")
_LIVE = (VersionState.STAGED.value, VersionState.CURRENT.value)


class CatalogEmbeddings:
    """`EmbeddingStore` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def missing(self, source: str, model: str, *, with_tokens: bool = False, past: bool = False) -> int:
        with self._database.read() as connection:
            counted = _missing(func.count(passages.c.embedded_hash.distinct()), with_tokens=with_tokens, past=past)
            return int(connection.scalar(counted, {"source": source, "model": model}) or 0)

    def to_embed(self, source: str, model: str, *, with_tokens: bool = False, past: bool = False) -> Iterator[EmbeddingWork]:
        given: set[str] = set()
        with self._database.read() as connection:
            versions = connection.scalars(
                _missing(passages.c.version, with_tokens=with_tokens, past=past).distinct().order_by(passages.c.version),
                {"source": source, "model": model},
            ).all()
        for version in versions:
            for work in self._of_version(version, model, with_tokens=with_tokens):
                if work.text_hash not in given:
                    given.add(work.text_hash)
                    yield work

    def store(self, model: str, rows: Sequence[tuple[str, bytes]]) -> None:
        vectors = dict(rows)
        with self._database.write() as connection:
            there = connection.scalars(
                select(embeddings.c.text_hash).where(embeddings.c.model == model, embeddings.c.text_hash.in_(list(vectors)))
            ).all()
            new = [{"model": model, "text_hash": hash_, "vector": vectors[hash_]} for hash_ in sorted(vectors.keys() - set(there))]
            if new:
                connection.execute(insert(embeddings), new)

    def _of_version(self, version: str, model: str, *, with_tokens: bool) -> list[EmbeddingWork]:
        with self._database.read() as connection:
            body = connection.scalar(_TEXT, {"version": version})
            wanted = _OF_VERSION.where(_without(with_tokens=with_tokens))
            rows = connection.execute(wanted, {"version": version, "model": model}).all()
        found = [
            EmbeddingWork(row.embedded_hash, embedded_text(row.prefix, (body or "")[row.span_start : row.span_end]), row.prefix)
            for row in rows
        ]
        for work in found:
            if text_hash(work.text) != work.text_hash:
                raise AssertionError(f"a passage of version {version} is not the span it was cut from")
        return found


def _missing(column: ColumnElement[T], *, with_tokens: bool, past: bool) -> Select[tuple[T]]:
    """Of passages of staged and current versions of a source, or of all: those whose text lacks an embedding by the model, or tokens."""
    found = (
        select(column)
        .select_from(passages)
        .join(document_versions, document_versions.c.id == passages.c.version)
        .where(document_versions.c.source == bindparam("source"))
        .where(_without(with_tokens=with_tokens))
    )
    return found if past else found.where(document_versions.c.state.in_(_LIVE))


def _without(*, with_tokens: bool) -> ColumnElement[bool]:
    return or_(WITHOUT_EMBEDDING, _WITHOUT_TOKENS) if with_tokens else WITHOUT_EMBEDDING


WITHOUT_EMBEDDING = ~(
    select(embeddings.c.text_hash)
    .where(embeddings.c.model == bindparam("model"), embeddings.c.text_hash == passages.c.embedded_hash)
    .exists()
)
"""Condition on `passages`: its text has no embedding under the bound parameter `model`."""
_WITHOUT_TOKENS = ~(
    select(token_vectors.c.text_hash)
    .where(token_vectors.c.model == bindparam("model"), token_vectors.c.text_hash == passages.c.embedded_hash)
    .exists()
)
_TEXT = (
    select(texts.c.text)
    .join(document_versions, document_versions.c.text == texts.c.hash)
    .where(document_versions.c.id == bindparam("version"))
)
_OF_VERSION = select(passages).where(passages.c.version == bindparam("version")).order_by(passages.c.ordinal)
