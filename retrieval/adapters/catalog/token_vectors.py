"""The tokens of passages' texts by (model, hash of the embedded text), as the embeddings are kept."""

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import bindparam, insert, select

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import document_versions, documents, passages, token_vectors
from retrieval.domain.permissions import AccessScope
from retrieval.ports.models import TokenVectors

_BESIDE_VECTOR = 3
"""Bytes of a token's id and segment."""
_ZERO = 8
"""How a vector's 0 is kept in four bits."""


class CatalogTokenVectors:
    """`TokenReader` and `TokenStore` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tokens(self, scope: AccessScope, model: str, wanted: Sequence[str]) -> Mapping[str, TokenVectors]:
        if not wanted:
            return {}
        with self._database.read() as connection:
            rows = connection.execute(_OF_PASSAGES, {"model": model, "passages": list(wanted)}).all()
        return {row.id: unpacked(row.packed, row.tokens) for row in rows if scope.reads(row.access_class)}

    def store_tokens(self, model: str, rows: Sequence[tuple[str, TokenVectors]]) -> None:
        found = dict(rows)
        with self._database.write() as connection:
            there = connection.scalars(
                select(token_vectors.c.text_hash).where(token_vectors.c.model == model, token_vectors.c.text_hash.in_(list(found)))
            ).all()
            new = [
                {"model": model, "text_hash": hash_, "tokens": len(found[hash_].ids), "packed": packed(found[hash_])}
                for hash_ in sorted(found.keys() - set(there))
            ]
            if new:
                connection.execute(insert(token_vectors), new)


def packed(tokens: TokenVectors) -> bytes:
    """One record for each token, little endian; two numbers of a vector in each byte."""
    halves = (tokens.vectors + _ZERO).astype(np.uint8)
    records = np.empty(len(tokens.ids), dtype=_record(halves.shape[1] // 2))
    records["id"], records["segment"], records["vector"] = tokens.ids, tokens.segments, halves[:, ::2] << 4 | halves[:, 1::2]
    return records.tobytes()


def unpacked(content: bytes, count: int) -> TokenVectors:
    """The inverse. Raises ValueError when the content is not `count` records."""
    width, rest = divmod(len(content), count)
    if rest or width <= _BESIDE_VECTOR:
        raise ValueError("not a whole number of tokens")
    records = np.frombuffer(content, dtype=_record(width - _BESIDE_VECTOR))
    vectors = np.empty((count, 2 * (width - _BESIDE_VECTOR)), dtype=np.int8)
    vectors[:, ::2], vectors[:, 1::2] = records["vector"] >> 4, records["vector"] & 0x0F
    vectors -= _ZERO
    return TokenVectors(records["id"].copy(), records["segment"].copy(), vectors)


def _record(width: int) -> np.dtype[np.void]:
    return np.dtype([("id", "<u2"), ("segment", "u1"), ("vector", "u1", (width,))])


_OF_PASSAGES = (
    select(passages.c.id, documents.c.access_class, token_vectors.c.tokens, token_vectors.c.packed)
    .join(document_versions, document_versions.c.id == passages.c.version)
    .join(documents, documents.c.id == document_versions.c.document)
    .join(token_vectors, (token_vectors.c.text_hash == passages.c.embedded_hash) & (token_vectors.c.model == bindparam("model")))
    .where(passages.c.id.in_(bindparam("passages", expanding=True)))
)
