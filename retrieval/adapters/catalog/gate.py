"""The catalog as the last word: what a principal may read now, and whether a found passage is still what it was."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select

from retrieval.adapters.catalog.authority import Authority
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.history import WAS_VALID
from retrieval.adapters.catalog.tables import document_versions, documents, passages, sources, texts, validity
from retrieval.domain.documents import Span, VersionState
from retrieval.domain.errors import RevisionNotReached
from retrieval.domain.ids import text_hash
from retrieval.domain.passages import ReadablePassage, Stretch
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.domain.sources import Classification
from retrieval.ports.reading import Candidate, Gated

_LIVE = (
    select(
        passages,
        documents.c.access_class,
        documents.c.id.label("document"),
        documents.c.source,
        document_versions.c.number,
        document_versions.c.title,
        document_versions.c.uri,
        document_versions.c.media_type,
        document_versions.c.modified_at,
        sources.c.permissions_fresh_until.label("fresh_until"),
        sources.c.sensitivity,
    )
    .join(document_versions, document_versions.c.id == passages.c.version)
    .join(documents, documents.c.id == document_versions.c.document)
    .join(sources, sources.c.id == documents.c.source)
    .where(passages.c.id.in_(bindparam("ids", expanding=True)))
)

_CLASSES = (
    select(documents.c.id, documents.c.access_class)
    .join(document_versions, document_versions.c.document == documents.c.id)
    .join(sources, sources.c.id == documents.c.source)
    .where(documents.c.id.in_(bindparam("ids", expanding=True)))
)

_STRETCH = (
    select(documents.c.access_class, func.substr(texts.c.text, bindparam("first"), bindparam("length")).label("text"))
    .join(document_versions, document_versions.c.document == documents.c.id)
    .join(sources, sources.c.id == documents.c.source)
    .join(texts, texts.c.hash == document_versions.c.text)
    .where(document_versions.c.id == bindparam("version"))
)


def _now_or_then(wanted: Select[Any]) -> Mapping[bool, Select[Any]]:
    """What of it is current (False), and what was at the revision `as_of` (True)."""
    then = wanted.join(validity, validity.c.version == document_versions.c.id).where(WAS_VALID)
    return {False: wanted.where(document_versions.c.state == VersionState.CURRENT.value), True: then}


_GATED, _READERS, _EXTRACT = _now_or_then(_LIVE), _now_or_then(_CLASSES), _now_or_then(_STRETCH)

_CLASSIFICATIONS = tuple(Classification)
"""In the order of their sensitivity."""


class CatalogGate:
    """`ScopeReader` and `GateReader` over the catalog. Every call is one snapshot."""

    def __init__(self, database: Database, authority: Authority) -> None:
        self._database = database
        self._authority = authority

    def scope(self, principal: Principal) -> AccessScope:
        with self._database.read() as connection:
            return self._authority.resolved(connection, principal).scope

    def gate(self, principal: Principal, candidates: Sequence[Candidate], *, at_least: int = 0, as_of: int | None = None) -> Gated:
        with self._database.read() as connection:
            resolved = self._authority.resolved(connection, principal)
            revision, classes = resolved.scope.revision, resolved.classes
            if revision < at_least:
                raise RevisionNotReached("the catalog that answers is older than what the caller has seen")
            wanted = {"ids": [c.passage for c in candidates], **_moment(as_of)}
            rows = connection.execute(_GATED[as_of is not None], wanted).all() if candidates else []
        now = self._database.now()
        live = {row.id: row for row in rows if row.access_class in classes}
        altered = tuple(c.passage for c in candidates if c.passage in live and text_hash(c.text) != live[c.passage].text_hash)
        readable = tuple(_readable(live[c.passage], c.text, revision) for c in candidates if c.passage in live and c.passage not in altered)
        stale = any(live[passage.id].fresh_until is not None and live[passage.id].fresh_until <= now for passage in readable)
        return Gated(readable, revision, withheld=len(candidates) - len(readable), altered=altered, stale_permissions=stale)

    def extracts(self, principal: Principal, stretches: Sequence[Stretch], *, as_of: int | None = None) -> Mapping[Stretch, str]:
        found: dict[Stretch, str] = {}
        with self._database.read() as connection:
            readable = self._authority.resolved(connection, principal).classes
            for stretch in stretches:
                place = {"version": stretch.version, "first": stretch.span.start + 1, "length": len(stretch.span)}
                row = connection.execute(_EXTRACT[as_of is not None], {**place, **_moment(as_of)}).one_or_none()
                if row is not None and row.access_class in readable:
                    found[stretch] = row.text
        return found

    def why(self, principal: Principal, documents: Sequence[str], *, as_of: int | None = None) -> Mapping[str, tuple[str, ...]]:
        with self._database.read() as connection:
            readable = self._authority.resolved(connection, principal).classes
            wanted = {"ids": list(documents), **_moment(as_of)}
            rows = connection.execute(_READERS[as_of is not None], wanted).all() if documents else []
            classes = {row.id: row.access_class for row in rows if row.access_class in readable}
            allowing = self._authority.allowing(connection, principal, frozenset(classes.values()))
        return {document: allowing[access_class] for document, access_class in classes.items()}


def _moment(as_of: int | None) -> dict[str, int]:
    return {} if as_of is None else {"as_of": as_of}


def _readable(row: Row[Any], text: str, revision: int) -> ReadablePassage:
    return ReadablePassage(
        id=row.id,
        document=row.document,
        version=row.version,
        version_number=row.number,
        source=row.source,
        ordinal=row.ordinal,
        span=Span(row.span_start, row.span_end),
        text=text,
        page=row.page,
        heading_path=tuple(json.loads(row.heading_path)),
        title=row.title,
        uri=row.uri,
        media_type=row.media_type,
        modified_at=row.modified_at,
        revision=revision,
        access_class=row.access_class,
        classification=_CLASSIFICATIONS[row.sensitivity],
    )
