"""The knowledge graph: as one principal may see it, and as an index in memory follows it.

What a principal is shown is computed from the passages that it may read, in one snapshot with its permissions: an entity that only
hidden passages mention does not exist, and a hidden passage adds nothing to a name, a count, a weight or an order.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from retrieval.domain.graph import EntityKind, Mention, PassageFacts, RelationKind
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import Principal
from retrieval.ports.writing import Change


@dataclass(frozen=True)
class Definition:
    """What a source's owner says of an entity. `kind` is the owner's own word, empty for none."""

    source: str
    name: str
    kind: str
    text: str


@dataclass(frozen=True)
class NameInUse:
    """A name as passages write it, and how many readable passages do."""

    name: str
    passages: int


@dataclass(frozen=True)
class Entity:
    """An entity as one principal may see it.

    Attributes:
        name: of its surest kind the name that most readable passages write.
        kinds: what it is mentioned as, the surest first.
        passages, documents: how many readable ones mention it.
    """

    id: str
    name: str
    kinds: tuple[EntityKind, ...]
    passages: int
    documents: int


@dataclass(frozen=True)
class EntityMention:
    """A readable passage that mentions the entity, and where. Spans are in the passage's own text."""

    passage: ReadablePassage
    mentions: tuple[Mention, ...]


@dataclass(frozen=True)
class EntityPage:
    """An entity with some of its mentions, in the order of documents' ids and within each in reading order.

    Attributes:
        names: the most used first.
        definitions: of sources of which the principal may read a passage that mentions the entity.
        last: where the page ends, to go on from; None on the last one.
    """

    entity: Entity
    names: tuple[NameInUse, ...]
    definitions: tuple[Definition, ...]
    mentions: tuple[EntityMention, ...]
    last: str | None
    revision: int


@dataclass(frozen=True)
class NamedEntities:
    """Entities by name, in the order of their names. `last`: where the page ends; None on the last one."""

    entities: tuple[Entity, ...]
    last: str | None
    revision: int


@dataclass(frozen=True)
class Neighbour:
    """An entity at a distance from the one that was asked for, which is at 0."""

    entity: Entity
    distance: int


@dataclass(frozen=True)
class SupportedRelation:
    """A relation and how many of the passages that were looked at support it. `passages` are the first of them, by id."""

    kind: RelationKind
    subject: str
    object: str
    weight: int
    passages: tuple[str, ...]


@dataclass(frozen=True)
class Support:
    """A readable passage that something of the graph stands on. `text_hash` and `access_class` are for the audit log."""

    passage: str
    document: str
    version: str
    source: str
    title: str
    uri: str
    page: int | None
    heading_path: tuple[str, ...]
    text_hash: str
    access_class: int


@dataclass(frozen=True)
class Neighbourhood:
    """What surrounds an entity: the nearest and most often connected first. `passages` is what the relations stand on."""

    neighbours: tuple[Neighbour, ...]
    relations: tuple[SupportedRelation, ...]
    passages: tuple[Support, ...]
    revision: int


@dataclass(frozen=True)
class Subgraph:
    """All that a principal may see of the graph: who is mentioned where, and which relations which passages support.

    Attributes:
        mentions: (passage, entity id, kind), each once.
        relations: (kind, subject, object, passage).
    """

    entities: tuple[Entity, ...]
    definitions: tuple[tuple[str, Definition], ...]
    passages: tuple[Support, ...]
    mentions: tuple[tuple[str, str, EntityKind], ...]
    relations: tuple[tuple[RelationKind, str, str, str], ...]
    revision: int


class GraphReader(Protocol):
    """The graph as a principal may see it. Every call is one snapshot."""

    def entity(self, principal: Principal, entity: str, *, after: str, count: int) -> EntityPage:
        """With at most `count` passages that mention it, from after `after` on. Raises NotReadable for absent and hidden alike."""

    def named(self, principal: Principal, name: str, *, after: str, count: int) -> NamedEntities:
        """Entities of which a readable passage writes a name that begins so, whatever the case and spacing."""

    def neighbourhood(
        self, principal: Principal, entity: str, *, depth: int, entities: int, passages: int, relations: int
    ) -> Neighbourhood:
        """At most `entities` entities within `depth` relations, found over at most `passages` readable passages for each step.

        Of the relations among them the `relations` that most passages support.

        Raises:
            NotReadable: absent and hidden alike.
        """

    def subgraph(self, principal: Principal, *, sources: Sequence[str], passages: int) -> Subgraph:
        """Everything readable, of these sources or of all.

        Raises:
            InvalidInput: that is more than so many passages.
        """


@dataclass(frozen=True)
class GraphDocument:
    """All that a graph in memory should hold of one document: a state, not a difference. No passages: hold nothing."""

    document: str
    source: str
    access_class: int
    passages: tuple[PassageFacts, ...]


class GraphFeed(Protocol):
    """The catalog's outbox, as a graph in memory follows it. Revisions are the catalog's own."""

    def revision(self) -> int:
        """The catalog's revision now: one cheap read."""

    def changes(self, after: int, *, limit: int) -> list[Change]:
        """The next changes in revision order, at most `limit` documents but never half a revision.

        `access_only`: the document's facts are the same and its class moved. A document may come twice.
        """

    def documents(self, wanted: Sequence[str]) -> list[GraphDocument]:
        """Their state now, in one snapshot; a withdrawn document, or one without facts, comes without passages."""

    def snapshot(self) -> AbstractContextManager[tuple[int, Iterator[GraphDocument]]]:
        """All current documents with facts at one revision, for building a graph from nothing."""
