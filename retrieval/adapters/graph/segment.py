"""The facts of some documents as arrays: which passage mentions what, and which passages mention an entity. Never changed once made.

About 15 bytes for each mention and 50 for each passage beside the ids of the documents; a passage has about a dozen mentions.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.domain.graph import EntityKind
from retrieval.ports.graph import GraphDocument
from retrieval.ports.graph_search import entity_number

KINDS = tuple(EntityKind)
NO_SPAN = -1
_ID = "S16"

Integers = NDArray[np.int32]


@dataclass(frozen=True)
class Segment:
    """Passages are numbered by row, in the order of documents and within each in reading order.

    Attributes:
        documents: ids; those of row `r` is `documents[document_of[r]]`.
        sources: of each document, as given.
        document_of: shape (passages,).
        passage_ids: shape (passages,), the 16 bytes of each id, by row.
        by_id: rows in the order of their ids.
        mention_rows: shape (passages + 1,): row r's mentions are those from `mention_rows[r]` up to `mention_rows[r + 1]`.
        entities, kinds, starts, ends: shape (mentions,): what is mentioned, as what, and where.
        known: the entities, ascending.
        known_rows: shape (known + 1,): where each one's part of `rows_of` starts.
        rows_of, kinds_of: shape (mentions,): the rows that mention an entity, and as what; by entity, then row.
    """

    documents: tuple[str, ...]
    sources: tuple[str, ...]
    document_of: Integers
    passage_ids: NDArray[Any]
    by_id: Integers
    mention_rows: Integers
    entities: NDArray[np.uint64]
    kinds: NDArray[np.uint8]
    starts: Integers
    ends: Integers
    known: NDArray[np.uint64]
    known_rows: Integers
    rows_of: Integers
    kinds_of: NDArray[np.uint8]

    @classmethod
    def of(cls, documents: Sequence[GraphDocument]) -> "Segment":
        """Of documents that are different from each other; those without passages are left out."""
        held = [document for document in documents if document.passages]
        facts = [passage for document in held for passage in document.passages]
        mentions = [mention for passage in facts for mention in passage.mentions]
        return _indexed(
            tuple(document.document for document in held),
            tuple(document.source for document in held),
            np.repeat(np.arange(len(held), dtype=np.int32), [len(document.passages) for document in held]),
            np.array([_bytes(passage.passage) for passage in facts], dtype=_ID),
            np.fromiter((len(passage.mentions) for passage in facts), np.int32, len(facts)),
            np.fromiter((entity_number(mention.entity) for mention in mentions), np.uint64, len(mentions)),
            np.fromiter((KINDS.index(mention.kind) for mention in mentions), np.uint8, len(mentions)),
            np.fromiter((m.span.start if m.span else NO_SPAN for m in mentions), np.int32, len(mentions)),
            np.fromiter((m.span.end if m.span else NO_SPAN for m in mentions), np.int32, len(mentions)),
        )

    @classmethod
    def joined(cls, parts: Sequence[tuple["Segment", NDArray[np.bool_]]]) -> "Segment":
        """One of several, each with which of its documents to keep."""
        kept = [segment._only(keep) for segment, keep in parts]  # noqa: SLF001 - its own
        offsets = np.cumsum([0, *(len(one.documents) for one in kept)])
        return _indexed(
            tuple(document for one in kept for document in one.documents),
            tuple(source for one in kept for source in one.sources),
            np.concatenate([one.document_of + offset for one, offset in zip(kept, offsets, strict=False)]).astype(np.int32),
            np.concatenate([one.passage_ids for one in kept]),
            np.concatenate([np.diff(one.mention_rows) for one in kept]),
            np.concatenate([one.entities for one in kept]),
            np.concatenate([one.kinds for one in kept]),
            np.concatenate([one.starts for one in kept]),
            np.concatenate([one.ends for one in kept]),
        )

    def _only(self, keep: NDArray[np.bool_]) -> "Segment":
        if keep.all():
            return self
        rows = keep[self.document_of]
        counts = np.diff(self.mention_rows)
        mentions = np.repeat(rows, counts)
        numbers = np.cumsum(keep) - 1
        return _indexed(
            tuple(compress(self.documents, keep)),
            tuple(compress(self.sources, keep)),
            numbers[self.document_of[rows]].astype(np.int32),
            self.passage_ids[rows],
            counts[rows],
            self.entities[mentions],
            self.kinds[mentions],
            self.starts[mentions],
            self.ends[mentions],
        )

    @cached_property
    def document_numbers(self) -> dict[str, int]:
        return {document: number for number, document in enumerate(self.documents)}

    def rows(self, passages: Sequence[str]) -> Integers:
        """The row of each passage; -1 for those that are not here."""
        if not len(self.by_id) or not passages:
            return np.full(len(passages), -1, dtype=np.int32)
        wanted = np.array([_bytes(passage) for passage in passages], dtype=_ID)
        at = np.minimum(np.searchsorted(self.passage_ids, wanted, sorter=self.by_id), len(self.by_id) - 1)
        rows = self.by_id[at]
        return np.where(self.passage_ids[rows] == wanted, rows, -1).astype(np.int32)

    def passage(self, row: int) -> str:
        return str(uuid.UUID(bytes=bytes(self.passage_ids[row]).ljust(16, b"\0")))  # numpy cuts zeros off the end

    def places(self, entities: NDArray[np.uint64]) -> Integers:
        """Where in `known` each entity is; -1 for those that nothing here mentions."""
        if not len(self.known):
            return np.full(len(entities), -1, dtype=np.int32)
        at = np.minimum(np.searchsorted(self.known, entities), len(self.known) - 1)
        return np.where(self.known[at] == entities, at, -1).astype(np.int32)

    @property
    def size_bytes(self) -> int:
        """Of the arrays."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))


def _indexed(  # noqa: PLR0917 - the columns in the order of the class
    documents: tuple[str, ...],
    sources: tuple[str, ...],
    document_of: Integers,
    passage_ids: NDArray[Any],
    counts: Integers,
    entities: NDArray[np.uint64],
    kinds: NDArray[np.uint8],
    starts: Integers,
    ends: Integers,
) -> Segment:
    """`counts`: mentions of each passage."""
    rows = np.repeat(np.arange(len(passage_ids), dtype=np.int32), counts)
    order = np.lexsort((rows, entities))
    known, firsts = np.unique(entities[order], return_index=True)
    return Segment(
        documents,
        sources,
        document_of,
        passage_ids,
        np.argsort(passage_ids, kind="stable").astype(np.int32),
        np.concatenate(([0], np.cumsum(counts))).astype(np.int32),
        entities,
        kinds,
        starts,
        ends,
        known,
        np.concatenate((firsts, [len(entities)])).astype(np.int32),
        rows[order],
        kinds[order],
    )


def _bytes(passage: str) -> bytes:
    return bytes.fromhex(passage.replace("-", ""))
