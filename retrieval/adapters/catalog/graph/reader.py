"""Entities as one principal may see them: one by its id, and some by their names."""

import json
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, bindparam, func, select, tuple_

from retrieval.adapters.catalog.authority import Authority
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.graph.neighbourhood import Most, neighbourhood_of
from retrieval.adapters.catalog.graph.subgraph import subgraph_of
from retrieval.adapters.catalog.graph.visible import MENTIONED, VisibleGraph
from retrieval.adapters.catalog.tables import document_versions, documents, entities, entity_names, mentions, passages, texts
from retrieval.domain.documents import Span
from retrieval.domain.errors import NotReadable
from retrieval.domain.graph import EntityKind, Mention, entity_key
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import Principal
from retrieval.ports.graph import EntityMention, EntityPage, NamedEntities, Neighbourhood, Subgraph

MAX_NAMES = 50
"""Names of one entity that are shown, the most used first."""
_LAST_CHARACTER = "\U0010ffff"


class CatalogGraph:
    """`GraphReader` over the catalog."""

    def __init__(self, database: Database, authority: Authority) -> None:
        self._database = database
        self._authority = authority

    def entity(self, principal: Principal, entity: str, *, after: str, count: int) -> EntityPage:
        with self._database.read() as connection:
            graph = VisibleGraph.of(connection, self._authority, principal)
            number, found = seen(graph, entity)
            document, ordinal = _place(after)
            place = {"number": number, "document": document, "ordinal": ordinal, "count": count + 1}
            rows = connection.execute(graph.readable(_MENTIONING), place).all()
            shown = rows[:count]
            spans = connection.execute(_IN_PASSAGES, {"number": number, "passages": [row.id for row in shown]}).all()
            return EntityPage(
                found,
                graph.names(number, most=MAX_NAMES),
                graph.definitions(number, entity),
                _mentions(entity, shown, spans, graph.revision),
                last=f"{shown[-1].document}/{shown[-1].ordinal}" if len(rows) > count else None,
                revision=graph.revision,
            )

    def named(self, principal: Principal, name: str, *, after: str, count: int) -> NamedEntities:
        begins = entity_key(name)
        key, id_ = json.loads(after) if after else ("", "")
        place = {"from": begins, "to": begins + _LAST_CHARACTER, "key": key, "id": id_, "count": count + 1}
        with self._database.read() as connection:
            graph = VisibleGraph.of(connection, self._authority, principal)
            rows = [] if graph.resolved.scope.is_empty else connection.execute(graph.readable(_NAMED), place).all()
            shown = rows[:count]
            described = graph.described(row.number for row in shown)
            last = json.dumps([shown[-1].key, shown[-1].id], ensure_ascii=False) if len(rows) > count else None
            return NamedEntities(tuple(described[row.number] for row in shown), last, graph.revision)

    def neighbourhood(
        self, principal: Principal, entity: str, *, depth: int, entities: int, passages: int, relations: int
    ) -> Neighbourhood:
        with self._database.read() as connection:
            graph = VisibleGraph.of(connection, self._authority, principal)
            number, _ = seen(graph, entity)
            most = Most(entities, passages, relations)
            return neighbourhood_of(graph, number, depth=depth, most=most)

    def subgraph(self, principal: Principal, *, sources: Sequence[str], passages: int) -> Subgraph:
        with self._database.read() as connection:
            graph = VisibleGraph.of(connection, self._authority, principal)
            return subgraph_of(graph, sources=sources, most_passages=passages)


def seen(graph: VisibleGraph, entity: str) -> Any:  # noqa: ANN401 - (number, Entity)
    """The entity's number and what is readable of it. Raises NotReadable."""
    number = graph.number(entity)
    described = {} if number is None else graph.described([number])
    if number not in described:
        raise NotReadable("there is no such entity, or no passage that you may read mentions it")
    return number, described[number]


def _place(after: str) -> tuple[str, int]:
    document, _, ordinal = after.rpartition("/")
    return (document, int(ordinal)) if after else ("", -1)


def _mentions(entity: str, shown: Sequence[Row[Any]], spans: Sequence[Row[Any]], revision: int) -> tuple[EntityMention, ...]:
    written = {passage: list(rows) for passage, rows in groupby(spans, key=attrgetter("passage"))}
    return tuple(EntityMention(_passage(row, revision), tuple(_mention(entity, each) for each in written[row.id])) for row in shown)


def _mention(entity: str, row: Row[Any]) -> Mention:
    return Mention(entity, EntityKind(row.kind), row.name, None if row.span_start is None else Span(row.span_start, row.span_end))


def _passage(row: Row[Any], revision: int) -> ReadablePassage:
    return ReadablePassage(
        id=row.id,
        document=row.document,
        version=row.version,
        version_number=row.number,
        source=row.source,
        ordinal=row.ordinal,
        span=Span(row.span_start, row.span_end),
        text=row.text,
        page=row.page,
        heading_path=tuple(json.loads(row.heading_path)),
        title=row.title,
        uri=row.uri,
        media_type=row.media_type,
        modified_at=row.modified_at,
        revision=revision,
        access_class=row.access_class,
    )


_OF_THIS = select(mentions.c.passage).join(entity_names, entity_names.c.number == mentions.c.name)
_TEXT = func.substr(texts.c.text, passages.c.span_start + 1, passages.c.span_end - passages.c.span_start)
_MENTIONING = (
    select(
        passages,
        documents.c.id.label("document"),
        documents.c.source,
        documents.c.access_class,
        document_versions.c.number,
        document_versions.c.title,
        document_versions.c.uri,
        document_versions.c.media_type,
        document_versions.c.modified_at,
        _TEXT.label("text"),
    )
    .join(document_versions, document_versions.c.id == passages.c.version)
    .join(documents, documents.c.id == document_versions.c.document)
    .join(texts, texts.c.hash == document_versions.c.text)
    .where(passages.c.id.in_(_OF_THIS.where(entity_names.c.entity == bindparam("number"))))
    .where(tuple_(documents.c.id, passages.c.ordinal) > tuple_(bindparam("document"), bindparam("ordinal")))
    .order_by(documents.c.id, passages.c.ordinal)
    .limit(bindparam("count"))
)
_IN_PASSAGES = (
    select(mentions.c.passage, mentions.c.kind, mentions.c.span_start, mentions.c.span_end, entity_names.c.name)
    .join(entity_names, entity_names.c.number == mentions.c.name)
    .where(entity_names.c.entity == bindparam("number"), mentions.c.passage.in_(bindparam("passages", expanding=True)))
    .order_by(mentions.c.passage, mentions.c.ordinal)
)
"""Of passages that were found readable in the same snapshot."""
_FIRST_KEY = func.min(entity_names.c.key)
_NAMED = (
    select(entities.c.number, entities.c.id, _FIRST_KEY.label("key"))
    .select_from(MENTIONED.join(entities, entities.c.number == entity_names.c.entity))
    .where(entity_names.c.key >= bindparam("from"), entity_names.c.key < bindparam("to"))
    .group_by(entities.c.number, entities.c.id)
    .having(tuple_(_FIRST_KEY, entities.c.id) > tuple_(bindparam("key"), bindparam("id")))
    .order_by(_FIRST_KEY, entities.c.id)
    .limit(bindparam("count"))
)
