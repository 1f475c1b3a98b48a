"""Entities, what mentions them and what surrounds them: all of it from passages that the caller may read."""

from typing import Literal

from pydantic import BaseModel, Field

from api.responses.hits import CitationOut, SpanOut
from retrieval.domain.answers import Citation
from retrieval.domain.documents import Span
from retrieval.ports.graph import (
    Definition,
    Entity,
    EntityMention,
    EntityPage,
    NamedEntities,
    NameInUse,
    Neighbour,
    Neighbourhood,
    Support,
    SupportedRelation,
)

Kind = Literal["term", "title", "heading", "acronym", "identifier", "link", "name"]
Related = Literal["mentioned_with", "expands", "defines", "links_to", "part_of"]


class EntityOut(BaseModel):
    """An entity as you may see it. Counts are of what you may read."""

    id: str
    name: str = Field(description="Of its surest kind the name that most passages write.")
    kinds: list[Kind] = Field(description="What it is mentioned as, the surest first.")
    passages: int = Field(description="How many mention it.")
    documents: int

    @classmethod
    def of(cls, entity: Entity) -> "EntityOut":
        kinds = [kind.value for kind in entity.kinds]
        return cls(id=entity.id, name=entity.name, kinds=kinds, passages=entity.passages, documents=entity.documents)


class NameOut(BaseModel):
    """A name as passages write it."""

    name: str
    passages: int

    @classmethod
    def of(cls, name: NameInUse) -> "NameOut":
        return cls(name=name.name, passages=name.passages)


class DefinitionOut(BaseModel):
    """What a source's owner says of the entity."""

    source: str
    name: str
    kind: str = Field(description="The owner's own word; empty for none.")
    text: str

    @classmethod
    def of(cls, definition: Definition) -> "DefinitionOut":
        return cls(source=definition.source, name=definition.name, kind=definition.kind, text=definition.text)


class WrittenOut(BaseModel):
    """How and where a passage writes the entity."""

    name: str
    kind: Kind
    span: SpanOut | None = Field(description="In the version's text; null where the title or a heading says it and not the passage.")


class EntityMentionOut(BaseModel):
    """A passage that mentions the entity."""

    citation: CitationOut
    written: list[WrittenOut]

    @classmethod
    def of(cls, found: EntityMention) -> "EntityMentionOut":
        start = found.passage.span.start
        written = [
            WrittenOut(
                name=each.name,
                kind=each.kind.value,
                span=None if each.span is None else SpanOut.of(Span(start + each.span.start, start + each.span.end)),
            )
            for each in found.mentions
        ]
        return cls(citation=CitationOut.of(Citation.of(found.passage)), written=written)


class EntityResponse(BaseModel):
    """An entity and a page of the passages that mention it."""

    request_id: str
    entity: EntityOut
    names: list[NameOut] = Field(description="The most used first.")
    definitions: list[DefinitionOut] = Field(description="Of sources of which you may read a passage that mentions it.")
    mentions: list[EntityMentionOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")
    consistency_token: str

    @classmethod
    def of(cls, page: EntityPage, *, request_id: str, next_cursor: str | None, consistency_token: str) -> "EntityResponse":
        return cls(
            request_id=request_id,
            entity=EntityOut.of(page.entity),
            names=[NameOut.of(name) for name in page.names],
            definitions=[DefinitionOut.of(definition) for definition in page.definitions],
            mentions=[EntityMentionOut.of(mention) for mention in page.mentions],
            next_cursor=next_cursor,
            consistency_token=consistency_token,
        )


class EntityListResponse(BaseModel):
    """A page of entities in the order of their names."""

    request_id: str
    entities: list[EntityOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")
    consistency_token: str

    @classmethod
    def of(cls, page: NamedEntities, *, request_id: str, next_cursor: str | None, consistency_token: str) -> "EntityListResponse":
        return cls(
            request_id=request_id,
            entities=[EntityOut.of(entity) for entity in page.entities],
            next_cursor=next_cursor,
            consistency_token=consistency_token,
        )


class NeighbourOut(EntityOut):
    """An entity of a neighbourhood."""

    distance: int = Field(description="Relations between it and the entity that was asked for, which is at 0.")

    @classmethod
    def at(cls, neighbour: Neighbour) -> "NeighbourOut":
        return cls(**EntityOut.of(neighbour.entity).model_dump(), distance=neighbour.distance)


class RelationOut(BaseModel):
    """A relation between two entities that are shown."""

    kind: Related
    subject: str = Field(description="Id of an entity. `mentioned_with` has no direction.")
    object: str
    weight: int = Field(description="How many of the passages that were looked at support it.")
    passages: list[str] = Field(description="Ids of the first of them.")

    @classmethod
    def of(cls, relation: SupportedRelation) -> "RelationOut":
        return cls(
            kind=relation.kind.value,
            subject=relation.subject,
            object=relation.object,
            weight=relation.weight,
            passages=list(relation.passages),
        )


class SupportOut(BaseModel):
    """Where a passage stands that supports a relation."""

    id: str
    document: str
    version: str
    source: str
    title: str
    uri: str
    page: int | None
    heading_path: list[str]

    @classmethod
    def of(cls, support: Support) -> "SupportOut":
        return cls(
            id=support.passage,
            document=support.document,
            version=support.version,
            source=support.source,
            title=support.title,
            uri=support.uri,
            page=support.page,
            heading_path=list(support.heading_path),
        )


class NeighbourhoodResponse(BaseModel):
    """What surrounds an entity, as far as you may read it: the nearest first, then what is connected most often."""

    request_id: str
    entities: list[NeighbourOut]
    relations: list[RelationOut] = Field(description="The best supported first.")
    passages: list[SupportOut] = Field(description="Those that the relations name.")
    consistency_token: str

    @classmethod
    def of(cls, found: Neighbourhood, *, request_id: str, consistency_token: str) -> "NeighbourhoodResponse":
        return cls(
            request_id=request_id,
            entities=[NeighbourOut.at(neighbour) for neighbour in found.neighbours],
            relations=[RelationOut.of(relation) for relation in found.relations],
            passages=[SupportOut.of(support) for support in found.passages],
            consistency_token=consistency_token,
        )
