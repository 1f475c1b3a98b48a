"""The graph as an index in memory follows it: which documents changed, and what is to be held of each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, literal, select, union_all

from retrieval.adapters.catalog.engine import Database, current_revision
from retrieval.adapters.catalog.tables import (
    changes,
    document_versions,
    documents,
    entities,
    entity_names,
    graph_documents,
    mentions,
    passages,
    relations,
)
from retrieval.domain.documents import Span, VersionState
from retrieval.domain.graph import EntityKind, Mention, PassageFacts, Relation, RelationKind
from retrieval.ports.graph import GraphDocument
from retrieval.ports.writing import Change

SNAPSHOT_DOCUMENTS = 200
"""Documents read at once while a graph is built from nothing."""


class CatalogGraphFeed:
    """`GraphFeed` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        with self._database.read() as connection:
            return current_revision(connection)

    def changes(self, after: int, *, limit: int) -> list[Change]:
        with self._database.read() as connection:
            rows = list(connection.execute(_CHANGES.limit(limit), {"after": after, "until": current_revision(connection)}))
            if len(rows) == limit:  # the last revision may be cut in two: take all of it
                rows = list(connection.execute(_CHANGES, {"after": after, "until": rows[-1].revision}))
        return [Change(row.revision, row.document, access_only=bool(row.access_only)) for row in rows]

    def documents(self, wanted: Sequence[str]) -> list[GraphDocument]:
        with self._database.read() as connection:
            found = {document.document: document for document in _read(connection, wanted)}
        return [found.get(id_) or GraphDocument(id_, "", 0, ()) for id_ in wanted]

    @contextmanager
    def snapshot(self) -> Iterator[tuple[int, Iterator[GraphDocument]]]:
        with self._database.read() as connection:
            revision = current_revision(connection)
            wanted = connection.scalars(select(graph_documents.c.document).order_by(graph_documents.c.document)).all()
            batches = (wanted[at : at + SNAPSHOT_DOCUMENTS] for at in range(0, len(wanted), SNAPSHOT_DOCUMENTS))
            yield revision, (document for batch in batches for document in _read(connection, batch))


def _read(connection: Connection, wanted: Sequence[str]) -> Iterator[GraphDocument]:
    held = {"documents": list(wanted)}
    mentioned = _by_passage(connection.execute(_MENTIONS, held).all())
    related = _by_passage(connection.execute(_RELATIONS, held).all())
    for _, rows in groupby(connection.execute(_PASSAGES, held).all(), key=attrgetter("document")):
        group = list(rows)
        first = group[0]
        facts = tuple(
            PassageFacts(row.id, tuple(map(_mention, mentioned.get(row.id, ()))), tuple(map(_relation, related.get(row.id, ()))))
            for row in group
        )
        yield GraphDocument(first.document, first.source, first.access_class, facts)


def _by_passage(rows: Sequence[Row[Any]]) -> dict[str, list[Row[Any]]]:
    return {passage: list(group) for passage, group in groupby(rows, key=attrgetter("passage"))}


def _mention(row: Row[Any]) -> Mention:
    span = None if row.span_start is None else Span(row.span_start, row.span_end)
    return Mention(row.entity, EntityKind(row.kind), row.name, span)


def _relation(row: Row[Any]) -> Relation:
    return Relation(RelationKind(row.kind), row.subject, row.object)


_PUBLISHED = select(changes.c.document, changes.c.content_revision.label("revision"), literal(value=False).label("access_only"))
_MOVED = select(changes.c.document, changes.c.revision, literal(value=True)).where(changes.c.revision > changes.c.content_revision)
_FOUND = select(graph_documents.c.document, graph_documents.c.revision, literal(value=False))
_SINCE: BindParameter[int] = bindparam("after")
_UNTIL: BindParameter[int] = bindparam("until")
_CHANGED = union_all(
    _PUBLISHED.where(changes.c.content_revision > _SINCE, changes.c.content_revision <= _UNTIL),
    _MOVED.where(changes.c.revision > _SINCE, changes.c.revision <= _UNTIL),
    _FOUND.where(graph_documents.c.revision > _SINCE, graph_documents.c.revision <= _UNTIL),
).subquery()
_CHANGES = select(_CHANGED).order_by(_CHANGED.c.revision, _CHANGED.c.document)
"""A document that was published comes at once, which takes its old facts away, and again when its new ones are found."""
_HELD = (
    passages.join(document_versions, document_versions.c.id == passages.c.version)
    .join(documents, documents.c.current_version == document_versions.c.id)
    .join(graph_documents, graph_documents.c.version == document_versions.c.id)
)
_WANTED = (documents.c.id.in_(bindparam("documents", expanding=True)), document_versions.c.state == VersionState.CURRENT.value)
_PASSAGES = (
    select(passages.c.id, documents.c.id.label("document"), documents.c.source, documents.c.access_class)
    .select_from(_HELD)
    .where(*_WANTED)
    .order_by(documents.c.id, passages.c.ordinal)
)
_MENTIONS = (
    select(
        mentions.c.passage,
        mentions.c.kind,
        mentions.c.span_start,
        mentions.c.span_end,
        entity_names.c.name,
        entities.c.id.label("entity"),
    )
    .select_from(
        _HELD.join(mentions, mentions.c.passage == passages.c.id)
        .join(entity_names, entity_names.c.number == mentions.c.name)
        .join(entities, entities.c.number == entity_names.c.entity)
    )
    .where(*_WANTED)
    .order_by(mentions.c.passage, mentions.c.ordinal)
)
_SUBJECTS, _OBJECTS = entities.alias("subjects"), entities.alias("objects")
_RELATIONS = (
    select(relations.c.passage, relations.c.kind, _SUBJECTS.c.id.label("subject"), _OBJECTS.c.id.label("object"))
    .select_from(
        _HELD.join(relations, relations.c.passage == passages.c.id)
        .join(_SUBJECTS, _SUBJECTS.c.number == relations.c.subject)
        .join(_OBJECTS, _OBJECTS.c.number == relations.c.object)
    )
    .where(*_WANTED)
    .order_by(relations.c.passage, relations.c.ordinal)
)
