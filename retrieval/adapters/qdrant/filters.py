"""An AccessScope as a Qdrant filter. The only place a filter is built, for both vendors' types.

A Qdrant filter without conditions matches everything, so none is ever made: every function here either
names what it wants or raises.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from retrieval.adapters.qdrant.collection import ACCESS_CLASS, CLASS_EVER, DOCUMENT, GAP_COUNT, GAPS, OPEN, SOURCE, VALID_FROM, VALID_TO
from retrieval.domain.permissions import AccessScope
from retrieval.domain.phrases import worded

F = TypeVar("F")

_Condition = Any
"""A vendor's condition; the two vendors' types share nothing but their meaning."""


class EmptyFilterError(ValueError):
    """A filter was asked for that would match everything. A defect in the caller: nothing was read or written."""


@dataclass(frozen=True)
class Filters(Generic[F]):
    """Filters in one vendor's types.

    Attributes:
        any_of: (payload field, values) to the condition that the field is one of the values.
        has_phrase: words between single spaces to the condition that a passage holds them one after the other.
        has_id: point ids to the condition that the point is one of them.
        at_most: (payload field, number) to the condition that the field is no more than it.
        above: (payload field, number) to the condition that the field is more than it.
        nested: (payload field, filter) to the condition that one of the objects in the field passes the filter.
        combine: (conditions that must hold, conditions that must not) to a filter.
    """

    any_of: Callable[[str, list[Any]], _Condition]
    has_phrase: Callable[[str], _Condition]
    has_id: Callable[[list[str]], _Condition]
    at_most: Callable[[str, int], _Condition]
    above: Callable[[str, int], _Condition]
    nested: Callable[[str, F], _Condition]
    combine: Callable[[list[_Condition], list[_Condition]], F]

    def readable(self, scope: AccessScope, *, sources: Sequence[str] = (), passages: Sequence[str] = (), phrases: Sequence[str] = ()) -> F:
        """What the scope may read, now or at its moment; within these sources and passages, where any are named, with all of the phrases.

        Raises:
            EmptyFilterError: the scope holds no class.
        """
        if scope.is_empty:
            raise EmptyFilterError("an empty scope reads nothing and must not reach the index")
        if scope.as_of is None:
            must, must_not = [self.any_of(ACCESS_CLASS, list(scope.classes))], []
        else:
            must = [self.any_of(CLASS_EVER, list(scope.classes)), *self._spanning(VALID_FROM, VALID_TO, scope.as_of)]
            must_not = [self._in_a_gap(scope.as_of)]
        if sources:
            must.append(self.any_of(SOURCE, list(sources)))
        if passages:
            must.append(self.has_id(list(passages)))
        must += [self.has_phrase(worded(phrase)) for phrase in phrases]
        return self.combine(must, must_not)

    def _spanning(self, start: str, end: str, revision: int) -> list[_Condition]:
        return [self.at_most(start, revision), self.above(end, revision)]

    def _in_a_gap(self, revision: int) -> F:
        """Gaps are read from the payload itself, which is slow: only where there are any."""
        gap = self.combine(self._spanning("from", "to", revision), [])
        return self.combine([self.above(GAP_COUNT, 0), self.nested(GAPS, gap)], [])

    def of_classes(self, classes: Sequence[int]) -> F:
        """All current points of these access classes, whoever reads them. For measuring."""
        if not classes:
            raise EmptyFilterError("a filter over access classes must name at least one")
        return self.combine([self.any_of(ACCESS_CLASS, list(classes))], [])

    def of_documents(self, documents: Sequence[str]) -> F:
        """All points of these documents."""
        if not documents:
            raise EmptyFilterError("a filter over documents must name at least one")
        return self.combine([self.any_of(DOCUMENT, list(documents))], [])

    def current_of_documents(self, documents: Sequence[str]) -> F:
        """The points of these documents' current versions."""
        if not documents:
            raise EmptyFilterError("a filter over documents must name at least one")
        return self.combine([self.any_of(DOCUMENT, list(documents)), self.any_of(VALID_TO, [OPEN])], [])

    def replaced(self, documents: Sequence[str], *, keep: Sequence[str]) -> F:
        """All points of these documents but the passages to keep."""
        if not documents:
            raise EmptyFilterError("a filter over documents must name at least one")
        return self.combine([self.any_of(DOCUMENT, list(documents))], [self.has_id(list(keep))] if keep else [])
