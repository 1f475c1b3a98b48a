"""Facts of passages as rows: written, taken away, and entities forgotten that nothing mentions any more.

Whoever writes has taken the next revision in its transaction, so writers come one after the other and none sees another's half.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from retrieval.adapters.catalog.tables import entities, entity_names, graph_documents, mentions, passages, relations
from retrieval.domain.graph import PassageFacts, entity_key

ROWS_AT_ONCE = 5_000
"""Parameters of one statement; databases limit those."""


def take_away(connection: Connection, documents: Sequence[str]) -> set[int]:
    """Remove all facts of these documents. Returns the numbers of the names that they mentioned."""
    held = {"documents": list(documents)}
    names = set(connection.scalars(_NAMES_OF, held))
    for table in (mentions, relations):
        connection.execute(delete(table).where(table.c.passage.in_(_PASSAGES_OF)), held)
    connection.execute(delete(graph_documents).where(graph_documents.c.document.in_(bindparam("documents", expanding=True))), held)
    return names


def forget_unmentioned(connection: Connection, names: Iterable[int]) -> int:
    """Delete those of the names that no passage writes any more, and entities left without a name. Returns how many entities."""
    forgotten = 0
    for some in _portions(sorted(names)):
        touched = connection.scalars(_ENTITIES_OF, {"names": some}).all()
        connection.execute(_FORGET_NAMES, {"names": some})
        forgotten += connection.execute(_FORGET_ENTITIES, {"entities": list(touched)}).rowcount
    return forgotten


def write(connection: Connection, found: Sequence[PassageFacts]) -> tuple[int, int]:
    """Add the facts of passages that have none. Returns how many mentions and relations."""
    numbers = _entity_numbers(connection, {mention.entity for facts in found for mention in facts.mentions})
    names = _name_numbers(connection, {(numbers[m.entity], m.name) for facts in found for m in facts.mentions})
    mentioned = [
        {
            "passage": facts.passage,
            "ordinal": ordinal,
            "name": names[numbers[mention.entity], mention.name],
            "kind": mention.kind.value,
            "span_start": None if mention.span is None else mention.span.start,
            "span_end": None if mention.span is None else mention.span.end,
        }
        for facts in found
        for ordinal, mention in enumerate(facts.mentions)
    ]
    related = [
        {
            "passage": facts.passage,
            "ordinal": ordinal,
            "kind": relation.kind.value,
            "subject": numbers[relation.subject],
            "object": numbers[relation.object],
        }
        for facts in found
        for ordinal, relation in enumerate(facts.relations)
    ]
    _insert(connection, mentions, mentioned)
    _insert(connection, relations, related)
    return len(mentioned), len(related)


def _entity_numbers(connection: Connection, wanted: set[str]) -> dict[str, int]:
    known = _known_entities(connection, wanted)
    _insert(connection, entities, [{"id": id_} for id_ in sorted(wanted - known.keys())])
    return known | _known_entities(connection, wanted - known.keys())


def _name_numbers(connection: Connection, wanted: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
    known = _known_names(connection, wanted)
    missing = wanted - known.keys()
    _insert(connection, entity_names, [{"entity": entity, "name": name, "key": entity_key(name)} for entity, name in sorted(missing)])
    return known | _known_names(connection, missing)


def _known_entities(connection: Connection, wanted: Iterable[str]) -> dict[str, int]:
    rows = (row for some in _portions(sorted(wanted)) for row in connection.execute(_NUMBERS, {"ids": some}))
    return {row.id: row.number for row in rows}


def _known_names(connection: Connection, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    names = sorted({name for _, name in wanted})
    rows = (row for some in _portions(names) for row in connection.execute(_NAMED, {"names": some}))
    return {(row.entity, row.name): row.number for row in rows}


def _insert(connection: Connection, table: Any, rows: Sequence[dict[str, Any]]) -> None:  # noqa: ANN401 - a Table
    if rows:
        connection.execute(insert(table), rows)


def _portions(values: Sequence[Any]) -> Iterator[list[Any]]:
    ahead = iter(values)
    while some := list(islice(ahead, ROWS_AT_ONCE)):
        yield some


_PASSAGES_OF = (
    select(passages.c.id)
    .join(graph_documents, graph_documents.c.version == passages.c.version)
    .where(graph_documents.c.document.in_(bindparam("documents", expanding=True)))
)
_NAMES_OF = select(mentions.c.name).where(mentions.c.passage.in_(_PASSAGES_OF)).distinct()
_ENTITIES_OF = select(entity_names.c.entity).where(entity_names.c.number.in_(bindparam("names", expanding=True))).distinct()
_FORGET_NAMES = delete(entity_names).where(
    entity_names.c.number.in_(bindparam("names", expanding=True)),
    ~select(mentions.c.passage).where(mentions.c.name == entity_names.c.number).exists(),
)
_FORGET_ENTITIES = delete(entities).where(
    entities.c.number.in_(bindparam("entities", expanding=True)),
    ~select(entity_names.c.number).where(entity_names.c.entity == entities.c.number).exists(),
)
_NUMBERS = select(entities.c.id, entities.c.number).where(entities.c.id.in_(bindparam("ids", expanding=True)))
_NAMED = select(entity_names.c.entity, entity_names.c.name, entity_names.c.number).where(
    entity_names.c.name.in_(bindparam("names", expanding=True))
)
