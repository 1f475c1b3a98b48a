"""A PassageSearch that catches up with the catalog before it answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from retrieval.domain.permissions import AccessScope
from retrieval.ports.models import Vectors
from retrieval.ports.reading import LegRuns, LegSearch, PassageSearch


@dataclass(frozen=True)
class FollowingSearch:
    """`index`, brought up to date by `catch_up` before each search.

    Attributes:
        catch_up: takes the revision that the caller needs (0: none in particular) and waits for it within its own limit.
            A search that needs more than was reached is refused by the index itself.
    """

    index: PassageSearch
    catch_up: Callable[[int], object]

    def search(self, scope: AccessScope, search: LegSearch) -> LegRuns:
        self.catch_up(search.at_least)
        return self.index.search(scope, search)

    def texts(self, scope: AccessScope, passages: Sequence[str]) -> Mapping[str, str]:
        return self.index.texts(scope, passages)

    def vectors(self, scope: AccessScope, passages: Sequence[str], *, model: str = "") -> Mapping[str, Vectors]:
        return self.index.vectors(scope, passages, model=model)

    def revision(self) -> int:
        return self.index.revision()
