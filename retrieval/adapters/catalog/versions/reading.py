"""Earlier versions as one principal may see them: of documents that it may read now, but for contents that are held back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from retrieval.adapters.catalog.authority import Authority
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.history import MAY_BE_READ_OF_THE_PAST
from retrieval.adapters.catalog.tables import document_versions, documents, revisions, sources, texts, validity
from retrieval.domain.documents import VersionState
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.permissions import Principal
from retrieval.domain.versions import DocumentHistory, VersionInTime, VersionTexts

_SHOWN = (VersionState.CURRENT.value, VersionState.SUPERSEDED.value)
_CLASS_OF = select(documents.c.access_class).where(documents.c.id == bindparam("document"))
"""Asked first and alone, so that a hidden document costs what an absent one costs."""


class CatalogVersions:
    """`VersionReader` over the catalog."""

    def __init__(self, database: Database, authority: Authority) -> None:
        self._database = database
        self._authority = authority

    def history(self, principal: Principal, document: str, *, most: int) -> DocumentHistory:
        with self._database.read() as connection:
            return self._history(connection, principal, document, _VERSIONS.limit(most))

    def texts(self, principal: Principal, document: str, before: int, after: int, *, most_characters: int) -> VersionTexts:
        with self._database.read() as connection:
            wanted = _VERSIONS.where(document_versions.c.number.in_([before, after]))
            found = self._history(connection, principal, document, wanted)
            versions = {version.number: version for version in found.versions}
            if {before, after} - versions.keys():
                raise _nothing_there()
            if max(versions[before].characters, versions[after].characters) > most_characters:
                raise InvalidInput.of("id", "a version is too long to be compared", limit=f"{most_characters} characters")
            bodies = {row.id: row.text for row in connection.execute(_BODIES, {"versions": [each.id for each in versions.values()]})}
        return VersionTexts(found, bodies[versions[before].id], bodies[versions[after].id])

    def _history(self, connection: Connection, principal: Principal, document: str, wanted: Any) -> DocumentHistory:  # noqa: ANN401 - a Select
        resolved = self._authority.resolved(connection, principal)
        access_class = connection.scalar(_CLASS_OF, {"document": document})
        if access_class not in resolved.classes:
            raise _nothing_there()
        source = connection.scalar(_SOURCE, {"document": document})
        if source is None:
            raise _nothing_there()
        rows = connection.execute(wanted, {"document": document}).all()
        times: dict[str, list[tuple[str, str | None]]] = {row.id: [] for row in rows}
        for row in connection.execute(_TIMES, {"versions": list(times)}):
            times[row.version].append((row.opened, row.closed))
        versions = tuple(_version(row, times[row.id]) for row in rows)
        return DocumentHistory(document, source, versions, access_class, resolved.scope.revision)


def _version(row: Row[Any], times: Sequence[tuple[str, str | None]]) -> VersionInTime:
    return VersionInTime(row.id, row.number, row.state, row.content_hash, row.title, row.published_at, row.characters, tuple(times))


def _nothing_there() -> NotReadable:
    return NotReadable("there is no such document or version, or you may not read it")


_SOURCE = (
    select(documents.c.source)
    .join(document_versions, document_versions.c.id == documents.c.current_version)
    .where(documents.c.id == bindparam("document"), document_versions.c.state == VersionState.CURRENT.value)
)
"""None for a document that is withdrawn: it has no history for readers."""
_VERSIONS = (
    select(document_versions, func.length(texts.c.text).label("characters"))
    .join(texts, texts.c.hash == document_versions.c.text)
    .join(documents, documents.c.id == document_versions.c.document)
    .join(sources, sources.c.id == documents.c.source)
    .where(documents.c.id == bindparam("document"), document_versions.c.state.in_(_SHOWN), MAY_BE_READ_OF_THE_PAST)
    .order_by(document_versions.c.number.desc())
)


def _first_at(revision: Any) -> Any:  # noqa: ANN401 - columns
    """The time of the revision; of those from before times were kept, of the first known one after it."""
    return select(func.min(revisions.c.at)).where(revisions.c.value >= revision).scalar_subquery()


_TIMES = (
    select(validity.c.version, _first_at(validity.c.valid_from).label("opened"), _first_at(validity.c.valid_to).label("closed"))
    .where(validity.c.version.in_(bindparam("versions", expanding=True)))
    .order_by(validity.c.version, validity.c.valid_from)
)
_BODIES = (
    select(document_versions.c.id, texts.c.text)
    .join(texts, texts.c.hash == document_versions.c.text)
    .where(document_versions.c.id.in_(bindparam("versions", expanding=True)))
)
