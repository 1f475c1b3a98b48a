"""What one scope sees of the graph in memory. Hidden rows are taken away before anything is counted, compared or ordered."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retrieval.adapters.graph.segment import KINDS, NO_SPAN, Integers, Segment
from retrieval.domain.documents import Span
from retrieval.domain.graph import EntityKind
from retrieval.domain.permissions import AccessScope
from retrieval.ports.graph_search import SeenMention

NAMED_DOCUMENTS = 12
"""Documents that one name may have before it tells none of them."""
_TITLE, _HEADING = KINDS.index(EntityKind.TITLE), KINDS.index(EntityKind.HEADING)


@dataclass(frozen=True)
class Part:
    """A segment and the access class of each of its documents now."""

    segment: Segment
    access_classes: Integers

    @property
    def mentions(self) -> int:
        return len(self.segment.entities)


@dataclass(frozen=True)
class _Postings:
    """Readable rows that mention some entities; `owners` says which, by its place among those asked for."""

    owners: Integers
    rows: Integers
    kinds: NDArray[np.uint8]


class MemoryGraphView:
    """`GraphView` of one state of a `MemoryGraph`."""

    def __init__(self, parts: Sequence[Part], scope: AccessScope, sources: frozenset[str]) -> None:
        self._parts = parts
        self._sources = sources
        self._classes = _table(scope.classes)
        self.passages = scope.readable_passages

    def mentions(self, passage: str) -> Sequence[SeenMention]:
        for part in self._parts:
            row = int(part.segment.rows([passage])[0])
            if row >= 0 and self._readable(part, np.array([row]))[0]:
                return _mentions(part.segment, row)
        return ()

    def counts(self, entities: Sequence[int]) -> Mapping[int, int]:
        found = np.zeros(len(entities), dtype=np.int64)
        for part in self._parts:
            postings = self._postings(part, entities)
            owners, rows = postings.owners, postings.rows
            again = np.zeros(len(rows), dtype=bool)
            again[1:] = (owners[1:] == owners[:-1]) & (rows[1:] == rows[:-1])
            found += np.bincount(owners[~again], minlength=len(entities))
        return {entity: count for entity, count in zip(entities, found.tolist(), strict=True) if count}

    def named(self, entities: Sequence[int], *, among: Collection[str]) -> Mapping[int, Sequence[str]]:
        titles: dict[int, list[list[str]]] = {}
        headings: dict[int, list[list[str]]] = {}
        wanted = list(among)
        for part in self._parts:
            postings = self._postings(part, entities)
            preferred = part.segment.rows(wanted)
            for kind, found in ((_TITLE, titles), (_HEADING, headings)):
                of_kind = postings.kinds == kind
                _collect(found, part.segment, postings.owners[of_kind], postings.rows[of_kind], preferred)
        chosen = {owner: titles.get(owner) or headings[owner] for owner in titles.keys() | headings.keys()}
        return {
            entities[owner]: tuple(sorted(passage for document in documents for passage in document))
            for owner, documents in sorted(chosen.items())
            if len(documents) <= NAMED_DOCUMENTS
        }

    def _postings(self, part: Part, entities: Sequence[int]) -> _Postings:
        segment = part.segment
        places = segment.places(np.array(entities, dtype=np.uint64))
        owners = np.flatnonzero(places >= 0)
        first = segment.known_rows[places[owners]]
        lengths = segment.known_rows[places[owners] + 1] - first
        ends = np.cumsum(lengths)
        at = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - (ends - lengths), lengths)
        rows = segment.rows_of[at]
        keep = self._readable(part, rows)
        return _Postings(np.repeat(owners, lengths)[keep].astype(np.int32), rows[keep], segment.kinds_of[at][keep])

    def _readable(self, part: Part, rows: Integers) -> NDArray[np.bool_]:
        documents = part.segment.document_of[rows]
        classes = part.access_classes[documents]
        keep = (classes >= 0) & (classes < len(self._classes))
        keep[keep] = self._classes[classes[keep]]
        if self._sources:
            keep &= np.fromiter((part.segment.sources[document] in self._sources for document in documents), bool, len(documents))
        return keep


@lru_cache(maxsize=64)
def _table(classes: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whether each class, by its number, is one of these."""
    table = np.zeros(max(classes, default=-1) + 1, dtype=bool)
    table[np.array(classes, dtype=np.intp)] = True
    return table


def _mentions(segment: Segment, row: int) -> Sequence[SeenMention]:
    here = slice(segment.mention_rows[row], segment.mention_rows[row + 1])
    columns = (segment.entities[here], segment.kinds[here], segment.starts[here], segment.ends[here])
    return tuple(
        SeenMention(entity, KINDS[kind], None if start == NO_SPAN else Span(start, end))
        for entity, kind, start, end in zip(*(column.tolist() for column in columns), strict=True)
    )


def _collect(found: dict[int, list[list[str]]], segment: Segment, owners: Integers, rows: Integers, preferred: Integers) -> None:
    """Add, for each owner, each document's first row and its preferred ones. Rows come in reading order."""
    documents = segment.document_of[rows]
    opens = np.ones(len(rows), dtype=bool)
    opens[1:] = (owners[1:] != owners[:-1]) | (documents[1:] != documents[:-1])
    chosen = opens | np.isin(rows, preferred)
    for owner, row, first in zip(owners[chosen].tolist(), rows[chosen].tolist(), opens[chosen].tolist(), strict=True):
        of_owner = found.setdefault(owner, [])
        if first:
            of_owner.append([])
        of_owner[-1].append(segment.passage(row))
