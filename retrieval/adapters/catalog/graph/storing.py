"""The pipeline's side of the graph: which documents lack their facts, and the facts of current versions, kept and taken away."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter

from sqlalchemy import Connection, bindparam, func, insert, select

from retrieval.adapters.catalog.engine import Database, next_revision
from retrieval.adapters.catalog.graph import facts
from retrieval.adapters.catalog.runs import fence
from retrieval.adapters.catalog.tables import (
    document_versions,
    documents,
    entities,
    entity_names,
    glossary_terms,
    graph_documents,
    mentions,
    passages,
    relations,
    texts,
)
from retrieval.domain.ingestion import GraphChanges, GraphCounts, GraphPassage, GraphWork, MostMentioned, SourceRun, VersionFacts

READ_AT_ONCE = 50
"""Documents whose texts are read in one snapshot."""


class CatalogGraphStore:
    """`GraphStore` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stale(self, run: SourceRun, *, extractor: str) -> Iterator[GraphWork]:
        with self._database.read() as connection:
            wanted = iter(connection.scalars(_STALE, {"source": run.source, "extractor": extractor}).all())
        while some := list(islice(wanted, READ_AT_ONCE)):
            with self._database.read() as connection:
                work = list(_work(connection, some))
            yield from work

    def replace(self, run: SourceRun, found: Sequence[VersionFacts], *, extractor: str) -> GraphChanges:
        with self._database.write() as connection:
            fence(connection, run)
            still = set(connection.scalars(_STILL_CURRENT, {"versions": [each.version for each in found]}))
            kept = [each for each in found if each.version in still]
            if not kept:
                return GraphChanges()
            revision = next_revision(connection)
            unused = facts.take_away(connection, [each.document for each in kept])
            held = {"source": run.source, "extractor": extractor, "revision": revision}
            connection.execute(insert(graph_documents), [{"document": e.document, "version": e.version, **held} for e in kept])
            mentioned, related = facts.write(connection, [passage for each in kept for passage in each.passages])
            forgotten = facts.forget_unmentioned(connection, unused)
        return GraphChanges(extracted=len(kept), mentions=mentioned, relations=related, entities_removed=forgotten)

    def forget_withdrawn(self, run: SourceRun, *, batch: int) -> Iterator[GraphChanges]:
        with self._database.read() as connection:
            gone = iter(connection.scalars(_WITHDRAWN, {"source": run.source}).all())
        while some := list(islice(gone, batch)):
            with self._database.write() as connection:
                fence(connection, run)
                changes = forget_documents(connection, some)
            yield changes

    def counts(self, source: str, *, most: int) -> GraphCounts:
        with self._database.read() as connection:
            of = {"source": source}
            kinds = {row.kind: row.entities for row in connection.execute(_KINDS, of)}
            ranked = connection.execute(_MOST_MENTIONED.limit(most), of).all()
            return GraphCounts(
                entities=kinds,
                mentions=int(connection.scalar(_MENTIONS, of) or 0),
                relations=int(connection.scalar(_RELATIONS, of) or 0),
                most_mentioned=tuple(MostMentioned(row.id, row.kind, row.passages, row.term or "") for row in ranked),
            )


def forget_source(connection: Connection, source: str) -> None:
    """Take all facts of a source away, in the transaction that closes it."""
    held = iter(connection.scalars(select(graph_documents.c.document).where(graph_documents.c.source == source)).all())
    while some := list(islice(held, READ_AT_ONCE)):
        forget_documents(connection, some)


def forget_documents(connection: Connection, gone: Sequence[str]) -> GraphChanges:
    """Take the facts of these documents away, and entities that only they mentioned."""
    next_revision(connection)
    unused = facts.take_away(connection, gone)
    return GraphChanges(facts_removed=len(gone), entities_removed=facts.forget_unmentioned(connection, unused))


def _work(connection: Connection, wanted: Sequence[str]) -> Iterator[GraphWork]:
    rows = connection.execute(_PASSAGES, {"documents": list(wanted)}).all()
    bodies = {row.id: row.text for row in connection.execute(_BODIES, {"documents": list(wanted)})}
    for _, of_document in groupby(rows, key=attrgetter("document")):
        group = list(of_document)
        first = group[0]
        found = tuple(
            GraphPassage(row.id, tuple(json.loads(row.heading_path)), bodies[row.version][row.span_start : row.span_end]) for row in group
        )
        yield GraphWork(first.document, first.version, first.title, first.uri, found)


_STALE = (
    select(documents.c.id)
    .outerjoin(graph_documents, graph_documents.c.document == documents.c.id)
    .join(document_versions, document_versions.c.id == documents.c.current_version)
    .where(documents.c.source == bindparam("source"), document_versions.c.passages > 0)
    .where(
        graph_documents.c.version.is_distinct_from(documents.c.current_version)
        | graph_documents.c.extractor.is_distinct_from(bindparam("extractor"))
    )
    .order_by(documents.c.id)
)
_STILL_CURRENT = select(documents.c.current_version).where(documents.c.current_version.in_(bindparam("versions", expanding=True)))
_WITHDRAWN = (
    select(graph_documents.c.document)
    .join(documents, documents.c.id == graph_documents.c.document)
    .outerjoin(document_versions, document_versions.c.id == documents.c.current_version)
    .where(graph_documents.c.source == bindparam("source"), func.coalesce(document_versions.c.passages, 0) == 0)
    .order_by(graph_documents.c.document)
)
"""Also of documents whose current version has no passage: nothing would take the place of their old facts."""
_OF_THESE = documents.c.id.in_(bindparam("documents", expanding=True))
_PASSAGES = (
    select(
        passages.c.id,
        passages.c.heading_path,
        passages.c.span_start,
        passages.c.span_end,
        passages.c.version,
        documents.c.id.label("document"),
        document_versions.c.title,
        document_versions.c.uri,
    )
    .join(document_versions, document_versions.c.id == passages.c.version)
    .join(documents, documents.c.current_version == document_versions.c.id)
    .where(_OF_THESE)
    .order_by(documents.c.id, passages.c.ordinal)
)
_BODIES = (
    select(document_versions.c.id, texts.c.text)
    .join(documents, documents.c.current_version == document_versions.c.id)
    .join(texts, texts.c.hash == document_versions.c.text)
    .where(_OF_THESE)
)
_OF_SOURCE = graph_documents.c.source == bindparam("source")
_MENTIONED = (
    mentions.join(passages, passages.c.id == mentions.c.passage)
    .join(graph_documents, graph_documents.c.version == passages.c.version)
    .join(entity_names, entity_names.c.number == mentions.c.name)
)
_MENTIONS = select(func.count()).select_from(_MENTIONED).where(_OF_SOURCE)
_KINDS = (
    select(mentions.c.kind, func.count(entity_names.c.entity.distinct()).label("entities"))
    .select_from(_MENTIONED)
    .where(_OF_SOURCE)
    .group_by(mentions.c.kind)
    .order_by(mentions.c.kind)
)
_RELATIONS = (
    select(func.count())
    .select_from(
        relations.join(passages, passages.c.id == relations.c.passage).join(
            graph_documents, graph_documents.c.version == passages.c.version
        )
    )
    .where(_OF_SOURCE)
)
_COUNTED = func.count(mentions.c.passage.distinct()).label("passages")
_MOST_MENTIONED = (
    select(entities.c.id, func.min(mentions.c.kind).label("kind"), _COUNTED, func.min(glossary_terms.c.name).label("term"))
    .select_from(
        _MENTIONED.join(entities, entities.c.number == entity_names.c.entity).outerjoin(
            glossary_terms, (glossary_terms.c.entity == entities.c.id) & (glossary_terms.c.source == graph_documents.c.source)
        )
    )
    .where(_OF_SOURCE)
    .group_by(entities.c.id)
    .order_by(_COUNTED.desc(), entities.c.id)
)
