"""An AccessScope as a Qdrant filter. The only place a filter is built, for both vendors' types.

A Qdrant filter without conditions matches everything, so none is ever made: every function here either
names what it wants or raises.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from retrieval.adapters.qdrant.collection import ACCESS_CLASS, DOCUMENT, SOURCE
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
        combine: (conditions that must hold, conditions that must not) to a filter.
    """

    any_of: Callable[[str, list[Any]], _Condition]
    has_phrase: Callable[[str], _Condition]
    has_id: Callable[[list[str]], _Condition]
    combine: Callable[[list[_Condition], list[_Condition]], F]

    def readable(self, scope: AccessScope, *, sources: Sequence[str] = (), passages: Sequence[str] = (), phrases: Sequence[str] = ()) -> F:
        """What the scope may read; within these sources and passages, where any are named, and with every one of the phrases.

        Raises:
            EmptyFilterError: the scope holds no class.
        """
        if scope.is_empty:
            raise EmptyFilterError("an empty scope reads nothing and must not reach the index")
        must = [self.any_of(ACCESS_CLASS, list(scope.classes))]
        if sources:
            must.append(self.any_of(SOURCE, list(sources)))
        if passages:
            must.append(self.has_id(list(passages)))
        must += [self.has_phrase(worded(phrase)) for phrase in phrases]
        return self.combine(must, [])

    def of_classes(self, classes: Sequence[int]) -> F:
        """All points of these access classes, whoever reads them. For measuring."""
        if not classes:
            raise EmptyFilterError("a filter over access classes must name at least one")
        return self.combine([self.any_of(ACCESS_CLASS, list(classes))], [])

    def of_documents(self, documents: Sequence[str]) -> F:
        """All points of these documents."""
        if not documents:
            raise EmptyFilterError("a filter over documents must name at least one")
        return self.combine([self.any_of(DOCUMENT, list(documents))], [])

    def replaced(self, documents: Sequence[str], *, keep: Sequence[str]) -> F:
        """All points of these documents but the passages to keep."""
        if not documents:
            raise EmptyFilterError("a filter over documents must name at least one")
        return self.combine([self.any_of(DOCUMENT, list(documents))], [self.has_id(list(keep))] if keep else [])
