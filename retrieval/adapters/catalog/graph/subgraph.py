"""All that a principal may see of the graph, for an export."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, select

from retrieval.adapters.catalog.graph.support import PLACES, place
from retrieval.adapters.catalog.graph.visible import VisibleGraph
from retrieval.adapters.catalog.tables import documents, entities, entity_names, glossary_terms, mentions, relations
from retrieval.domain.errors import InvalidInput
from retrieval.domain.graph import EntityKind, RelationKind
from retrieval.ports.graph import Definition, Entity, Subgraph, Support

READ_AT_ONCE = 500
"""Passages, or entities, asked about in one statement."""


def subgraph_of(graph: VisibleGraph, *, sources: Sequence[str], most_passages: int) -> Subgraph:
    """Raises InvalidInput when it stands on more than `most_passages` passages."""
    wanted = PLACES.where(documents.c.source.in_(list(sources))) if sources else PLACES
    support = tuple(map(place, graph.connection.execute(graph.readable(wanted).limit(most_passages + 1))))
    if len(support) > most_passages:
        raise InvalidInput.of("source", "there is more than can be exported at once: name fewer sources", limit=f"{most_passages} passages")
    mentioned = list(_rows(graph, _MENTIONS, support))
    described: dict[int, Entity] = {}
    for some in _portions(sorted({row.number for row in mentioned})):
        described |= graph.described(some)
    by_id = {entity.id: entity for entity in described.values()}
    return Subgraph(
        entities=tuple(by_id[id_] for id_ in sorted(by_id)),
        definitions=tuple(_definitions(graph, mentioned, support)),
        passages=support,
        mentions=tuple(sorted((row.passage, row.id, EntityKind(row.kind)) for row in mentioned)),
        relations=tuple(sorted((RelationKind(r.kind), r.subject, r.object, r.passage) for r in _rows(graph, _RELATIONS, support))),
        revision=graph.revision,
    )


def _definitions(graph: VisibleGraph, mentioned: Sequence[Any], support: Sequence[Support]) -> Iterator[tuple[str, Definition]]:
    source_of = {each.passage: each.source for each in support}
    mentioning = {(row.id, source_of[row.passage]) for row in mentioned}
    rows = graph.connection.execute(select(glossary_terms).where(glossary_terms.c.definition != "").order_by("entity", "source"))
    for row in rows:
        if (row.entity, row.source) in mentioning:
            yield row.entity, Definition(row.source, row.name, row.kind, row.definition)


def _rows(graph: VisibleGraph, statement: Any, support: Sequence[Support]) -> Iterator[Any]:  # noqa: ANN401 - a Select and its rows
    """Of passages that were found readable in the same snapshot."""
    for some in _portions([each.passage for each in support]):
        yield from graph.connection.execute(statement, {"passages": some})


def _portions(values: Sequence[Any]) -> Iterator[list[Any]]:
    ahead = iter(values)
    while some := list(islice(ahead, READ_AT_ONCE)):
        yield some


_MENTIONS = (
    select(mentions.c.passage, mentions.c.kind, entities.c.number, entities.c.id)
    .join(entity_names, entity_names.c.number == mentions.c.name)
    .join(entities, entities.c.number == entity_names.c.entity)
    .where(mentions.c.passage.in_(bindparam("passages", expanding=True)))
    .distinct()
)
_SUBJECTS, _OBJECTS = entities.alias("subjects"), entities.alias("objects")
_RELATIONS = (
    select(relations.c.passage, relations.c.kind, _SUBJECTS.c.id.label("subject"), _OBJECTS.c.id.label("object"))
    .join(_SUBJECTS, _SUBJECTS.c.number == relations.c.subject)
    .join(_OBJECTS, _OBJECTS.c.number == relations.c.object)
    .where(relations.c.passage.in_(bindparam("passages", expanding=True)))
    .distinct()
)
