"""The graph's rows that one principal may read: every question about entities is asked through here.

A mention counts when its passage is of a current version whose document is of a readable class. Nothing that is shown of an entity is
kept with the entity itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from retrieval.adapters.catalog.authority import Authority, Resolved
from retrieval.adapters.catalog.classes import among
from retrieval.adapters.catalog.tables import document_versions, documents, entities, entity_names, glossary_terms, mentions, passages
from retrieval.domain.documents import VersionState
from retrieval.domain.graph import EntityKind
from retrieval.domain.permissions import Principal
from retrieval.ports.graph import Definition, Entity, NameInUse

SUREST = list(EntityKind)
MENTIONED = (
    mentions.join(entity_names, entity_names.c.number == mentions.c.name)
    .join(passages, passages.c.id == mentions.c.passage)
    .join(document_versions, document_versions.c.id == passages.c.version)
    .join(documents, documents.c.id == document_versions.c.document)
)
"""Mentions with their entities' names, passages, versions and documents."""
IS_CURRENT = (documents.c.current_version == document_versions.c.id) & (document_versions.c.state == VersionState.CURRENT.value)


@dataclass(frozen=True)
class VisibleGraph:
    """The graph within one snapshot, for one principal."""

    connection: Connection
    resolved: Resolved

    @classmethod
    def of(cls, connection: Connection, authority: Authority, principal: Principal) -> "VisibleGraph":
        return cls(connection, authority.resolved(connection, principal))

    @property
    def revision(self) -> int:
        return self.resolved.scope.revision

    def readable(self, statement: Select[Any]) -> Select[Any]:
        """Of a statement over `documents` and `document_versions` only what is current and of a readable class."""
        return statement.where(IS_CURRENT, among(self.connection, self.resolved.scope.classes))

    def number(self, entity: str) -> int | None:
        """The entity's number. That there is one says nothing: it may be that hidden passages alone mention it."""
        return self.connection.scalar(select(entities.c.number).where(entities.c.id == entity))

    def described(self, numbers: Iterable[int]) -> dict[int, Entity]:
        """Those of the entities that readable passages mention, by number."""
        wanted = {"numbers": sorted(numbers)}
        if not wanted["numbers"] or self.resolved.scope.is_empty:
            return {}
        written: dict[int, list[Row[Any]]] = {}
        for row in self.connection.execute(self.readable(_WRITTEN), wanted):
            written.setdefault(row.entity, []).append(row)
        totals = {row.number: row for row in self.connection.execute(self.readable(_TOTALS), wanted)}
        return {number: _entity(totals[number], rows) for number, rows in written.items()}

    def names(self, number: int, *, most: int) -> tuple[NameInUse, ...]:
        rows = self.connection.execute(self.readable(_NAMES).limit(most), {"numbers": [number]})
        return tuple(NameInUse(row.name, row.passages) for row in rows)

    def definitions(self, number: int, entity: str) -> tuple[Definition, ...]:
        """Of sources of which a readable passage mentions the entity."""
        mentioning = self.connection.scalars(self.readable(_SOURCES), {"numbers": [number]}).all()
        rows = self.connection.execute(_DEFINED, {"entity": entity, "sources": list(mentioning)})
        return tuple(Definition(row.source, row.name, row.kind, row.definition) for row in rows)


def _entity(totals: Row[Any], written: Sequence[Row[Any]]) -> Entity:
    kinds = tuple(sorted({EntityKind(row.kind) for row in written}, key=SUREST.index))
    of_the_surest = (row for row in written if row.kind == kinds[0].value)
    name = min(of_the_surest, key=lambda row: (-row.passages, row.name)).name
    return Entity(totals.id, name, kinds, totals.passages, totals.documents)


_OF_THESE = entity_names.c.entity.in_(bindparam("numbers", expanding=True))
_PASSAGES = func.count(mentions.c.passage.distinct()).label("passages")
_WRITTEN = (
    select(entity_names.c.entity, entity_names.c.name, mentions.c.kind, _PASSAGES)
    .select_from(MENTIONED)
    .where(_OF_THESE)
    .group_by(entity_names.c.entity, entity_names.c.name, mentions.c.kind)
)
_TOTALS = (
    select(entities.c.number, entities.c.id, _PASSAGES, func.count(documents.c.id.distinct()).label("documents"))
    .select_from(MENTIONED.join(entities, entities.c.number == entity_names.c.entity))
    .where(_OF_THESE)
    .group_by(entities.c.number, entities.c.id)
)
_NAMES = (
    select(entity_names.c.name, _PASSAGES)
    .select_from(MENTIONED)
    .where(_OF_THESE)
    .group_by(entity_names.c.name)
    .order_by(_PASSAGES.desc(), entity_names.c.name)
)
_SOURCES = select(documents.c.source).select_from(MENTIONED).where(_OF_THESE).distinct()
_DEFINED = (
    select(glossary_terms)
    .where(glossary_terms.c.entity == bindparam("entity"), glossary_terms.c.source.in_(bindparam("sources", expanding=True)))
    .where(glossary_terms.c.definition != "")
    .order_by(glossary_terms.c.source)
)
