"""What surrounds an entity, grown step by step over the passages that a principal may read.

A passage connects all entities that it mentions. A neighbour's rank is how many of the looked-at passages connect it to what was found
before; ties are broken by id. Weights are counted at the end over the passages that mention two or more of the entities found.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from retrieval.adapters.catalog.graph.support import support_of
from retrieval.adapters.catalog.graph.visible import MENTIONED, VisibleGraph
from retrieval.adapters.catalog.tables import entities, entity_names, mentions, relations
from retrieval.domain.graph import RelationKind
from retrieval.ports.graph import Neighbour, Neighbourhood, SupportedRelation

SHOWN_PASSAGES = 3
"""Passages named for each relation."""
Triple = tuple[RelationKind, int, int]


@dataclass(frozen=True)
class Most:
    """How much of a neighbourhood is shown, and over how many passages of each step it is found."""

    entities: int
    passages: int
    relations: int


def neighbourhood_of(graph: VisibleGraph, start: int, *, depth: int, most: Most) -> Neighbourhood:
    """The start and what surrounds it, with the relations among them."""
    distances = _grown(graph, start, depth=depth, most=most)
    connecting = _passages(graph, graph.readable(_CONNECTING), distances, most.passages)
    supports = _supports(graph, connecting, distances)
    described = graph.described(distances)
    found = sorted(supports.items(), key=lambda item: (-len(item[1]), item[0][0].value, *_ids(described, item[0])))
    shown = [
        SupportedRelation(kind, described[subject].id, described[object_].id, len(passages), tuple(passages[:SHOWN_PASSAGES]))
        for (kind, subject, object_), passages in found[: most.relations]
    ]
    named = sorted({passage for relation in shown for passage in relation.passages})
    neighbours = tuple(Neighbour(described[number], distance) for number, distance in distances.items())
    return Neighbourhood(neighbours, tuple(shown), support_of(graph, named), graph.revision)


def _grown(graph: VisibleGraph, start: int, *, depth: int, most: Most) -> dict[int, int]:
    """Entities' numbers with their distances, in the order in which they were found."""
    distances = {start: 0}
    frontier: Iterable[int] = [start]
    for distance in range(1, depth + 1):
        mentioned = _mentioned(graph, _passages(graph, graph.readable(_MENTIONING), frontier, most.passages))
        shared = Counter(number for numbers in mentioned.values() for number in numbers - distances.keys())
        ids = _entity_ids(graph, shared)
        best = sorted(shared, key=lambda number: (-shared[number], ids[number]))[: most.entities - len(distances)]
        distances |= dict.fromkeys(best, distance)
        frontier = best
        if not best:
            break
    return distances


def _supports(graph: VisibleGraph, connecting: Sequence[str], among: Mapping[int, int]) -> dict[Triple, list[str]]:
    """The passages that support each relation among these entities, in the order of their ids."""
    found: dict[Triple, list[str]] = {}
    ids = _entity_ids(graph, among)
    for passage, numbers in _mentioned(graph, connecting).items():
        for pair in combinations(sorted(numbers & among.keys(), key=ids.__getitem__), 2):
            found.setdefault((RelationKind.MENTIONED_WITH, *pair), []).append(passage)
    stated = graph.connection.execute(_STATED, {"passages": list(connecting), "numbers": sorted(among)})
    for row in stated:
        kind = RelationKind(row.kind)
        if kind is not RelationKind.MENTIONED_WITH:
            found.setdefault((kind, row.subject, row.object), []).append(row.passage)
    return found


def _passages(graph: VisibleGraph, readable: Select[Any], numbers: Iterable[int], most: int) -> list[str]:
    wanted = {"numbers": sorted(numbers)}
    if not wanted["numbers"]:
        return []
    return list(graph.connection.scalars(readable.limit(most), wanted))


def _mentioned(graph: VisibleGraph, passages: Sequence[str]) -> dict[str, set[int]]:
    """Of passages that were found readable in the same snapshot, which entities they mention."""
    found: dict[str, set[int]] = {}
    for row in graph.connection.execute(_ENTITIES, {"passages": list(passages)}):
        found.setdefault(row.passage, set()).add(row.entity)
    return found


def _entity_ids(graph: VisibleGraph, numbers: Iterable[int]) -> dict[int, str]:
    return dict(graph.connection.execute(_IDS, {"numbers": sorted(numbers)}).tuples().all())


def _ids(described: Mapping[int, Any], triple: Triple) -> Iterator[str]:
    yield from (described[number].id for number in triple[1:])


_OF_THESE = entity_names.c.entity.in_(bindparam("numbers", expanding=True))
_MENTIONING = select(mentions.c.passage).select_from(MENTIONED).where(_OF_THESE).distinct().order_by(mentions.c.passage)
_CONNECTING = (
    select(mentions.c.passage)
    .select_from(MENTIONED)
    .where(_OF_THESE)
    .group_by(mentions.c.passage)
    .having(func.count(entity_names.c.entity.distinct()) > 1)
    .order_by(mentions.c.passage)
)
_IN_THESE = mentions.c.passage.in_(bindparam("passages", expanding=True))
_ENTITIES = (
    select(mentions.c.passage, entity_names.c.entity)
    .join(entity_names, entity_names.c.number == mentions.c.name)
    .where(_IN_THESE)
    .distinct()
    .order_by(mentions.c.passage)
)
_IDS = select(entities.c.number, entities.c.id).where(entities.c.number.in_(bindparam("numbers", expanding=True)))
_STATED = (
    select(relations.c.passage, relations.c.kind, relations.c.subject, relations.c.object)
    .where(relations.c.passage.in_(bindparam("passages", expanding=True)))
    .where(relations.c.subject.in_(bindparam("numbers", expanding=True)), relations.c.object.in_(bindparam("numbers", expanding=True)))
    .distinct()
    .order_by(relations.c.passage)
)
