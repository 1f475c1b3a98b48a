"""The knowledge graph at query time: what one scope may see of it. Everything is counted from readable passages and nothing else."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from retrieval.domain.documents import Span
from retrieval.domain.graph import EntityKind
from retrieval.domain.permissions import AccessScope


def entity_number(entity: str) -> int:
    """An entity as graphs in memory hold it: the first 64 bits of its id."""
    return int(entity[4:20], 16)


@dataclass(frozen=True, slots=True)
class SeenMention:
    """An entity in a readable passage. `span` is in the passage's own text; None when only the title or a heading says it."""

    entity: int
    kind: EntityKind
    span: Span | None


class GraphView(Protocol):
    """The graph as if there were nothing but what the scope may read. One moment of it, however the graph changes meanwhile."""

    @property
    def passages(self) -> int:
        """How many passages the scope may read."""

    def mentions(self, passage: str) -> Sequence[SeenMention]:
        """What a passage mentions; nothing of one that is hidden or unknown."""

    def counts(self, entities: Sequence[int]) -> Mapping[int, int]:
        """How many readable passages mention each; without those that none does."""

    def named(self, entities: Sequence[int], *, among: Collection[str]) -> Mapping[int, Sequence[str]]:
        """The passages of the documents, or under the headings, that each entity is the name of.

        Of each document the first such passage and those that are `among` the given ones. An entity that names too many documents to
        tell one from another has none.
        """


class GraphSearch(Protocol):
    def view(self, scope: AccessScope, *, sources: Sequence[str] = ()) -> GraphView:
        """What the scope may see, of these sources or of all. An empty scope sees nothing.

        Raises:
            IndexUnavailable: the graph is not loaded yet.
        """
