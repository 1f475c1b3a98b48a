"""What a recall reaches: versions, documents, whoever was shown them, and what was made of them. Nothing is changed here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Select, bindparam, literal, select

from retrieval.adapters.catalog.escalations.rows import EscalationSecrets
from retrieval.adapters.catalog.learning import curated_rows
from retrieval.adapters.catalog.lineage.reopening import decided_on
from retrieval.adapters.catalog.lineage.showings import requests_of, showings_of
from retrieval.adapters.catalog.outboxes import with_webhooks
from retrieval.adapters.catalog.tables import Key, curated_citations, document_versions, documents, sources
from retrieval.domain.audit import AuditAction
from retrieval.domain.curated import CuratedAnswer, CuratedState
from retrieval.domain.documents import VersionState
from retrieval.domain.errors import NotReadable
from retrieval.domain.lineage import Showing, people_shown
from retrieval.domain.permissions import PrincipalKind
from retrieval.domain.recalls import RecallCounts, RecallKind, RecallRequest

_FINAL = frozenset({CuratedState.RETIRED, CuratedState.STALE})


@dataclass(frozen=True)
class ReachedVersion:
    id: str
    document: str
    source: str


@dataclass(frozen=True)
class ReachedDocument:
    """A document that readers lose. `content_hash`: what the source has of it, which is not to be published again."""

    id: str
    content_hash: str


@dataclass(frozen=True)
class Reach:
    """Everything that the recall is about.

    Attributes:
        reviews: ids of escalations.
        notices: by application that wants to be told: its requests, newest first.
    """

    versions: tuple[ReachedVersion, ...]
    withdrawn: tuple[ReachedDocument, ...]
    showings: tuple[Showing, ...]
    curated: tuple[CuratedAnswer, ...]
    reviews: tuple[str, ...]
    notices: Mapping[str, Sequence[str]]

    @property
    def counts(self) -> RecallCounts:
        cited = [showing for showing in self.showings if showing.quoted and showing.action == AuditAction.ANSWER.value]
        return RecallCounts(
            documents=len(self.withdrawn),
            versions=len(self.versions),
            answers=len(requests_of(cited)),
            people=len(people_shown(cited)),
            shown=len(requests_of(self.showings)),
            curated=len(self.curated),
            reviews=len(self.reviews),
            applications=len(self.notices),
        )


def reach_of(connection: Connection, request: RecallRequest, secrets: EscalationSecrets) -> Reach:
    """Raises NotReadable when there is no such document, version or source."""
    source_of(connection, request)
    which = _which(request)
    published = document_versions.c.state != VersionState.STAGED.value
    columns = select(document_versions.c.id, document_versions.c.document, document_versions.c.source)
    rows = connection.execute(columns.where(document_versions.c.id.in_(which), published).order_by(document_versions.c.id)).all()
    versions = tuple(ReachedVersion(*row) for row in rows)
    ids = frozenset(version.id for version in versions)
    of = select(document_versions.c.document).where(document_versions.c.id.in_(which))
    showings = tuple(showing for found in showings_of(connection, of, ids) for showing in found)
    return Reach(
        versions=versions,
        withdrawn=_withdrawn(connection, which),
        showings=showings,
        curated=_curated(connection, which),
        reviews=tuple(decided_on(connection, ids, secrets)),
        notices=_notices(connection, showings),
    )


def source_of(connection: Connection, request: RecallRequest) -> str:
    """The source that the request is about. Raises NotReadable when there is no such document, version or source."""
    found = connection.scalar(_SOURCE_OF[request.kind], {"about": request.about})
    if found is None:
        raise NotReadable(f"there is no such {request.kind.value}")
    return str(found)


_SOURCE_OF = {
    RecallKind.DOCUMENT: select(documents.c.source).where(documents.c.id == bindparam("about")),
    RecallKind.VERSION: select(document_versions.c.source).where(document_versions.c.id == bindparam("about")),
    RecallKind.SOURCE: select(sources.c.id).where(sources.c.id == bindparam("about")),
}


def _which(request: RecallRequest) -> Select[tuple[str]]:
    """Ids of the versions that the request is about. A document's attachments go with it, theirs too."""
    if request.kind is RecallKind.VERSION:
        return select(literal(request.about, Key))
    if request.kind is RecallKind.SOURCE:
        return select(document_versions.c.id).where(document_versions.c.source == request.about)
    family = select(documents.c.id).where(documents.c.id == request.about).cte("family", recursive=True)
    family = family.union(select(documents.c.id).where(documents.c.parent == family.c.id))
    return select(document_versions.c.id).where(document_versions.c.document.in_(select(family.c.id)))


def _withdrawn(connection: Connection, which: Select[tuple[str]]) -> tuple[ReachedDocument, ...]:
    held = select(documents.c.id, document_versions.c.content_hash).join(
        document_versions, document_versions.c.id == documents.c.current_version
    )
    rows = connection.execute(held.where(documents.c.current_version.in_(which)).order_by(documents.c.id))
    return tuple(ReachedDocument(*row) for row in rows)


def _curated(connection: Connection, which: Select[tuple[str]]) -> tuple[CuratedAnswer, ...]:
    resting = (
        select(curated_citations.c.curated).where(curated_citations.c.version.in_(which)).distinct().order_by(curated_citations.c.curated)
    )
    found = curated_rows.load(connection, connection.scalars(resting).all())
    return tuple(answer for answer in found if answer.state not in _FINAL)


def _notices(connection: Connection, showings: Sequence[Showing]) -> Mapping[str, Sequence[str]]:
    asked: dict[str, list[Showing]] = {}
    for showing in showings:
        application = showing.application or showing.person
        if application.startswith(f"{PrincipalKind.APP.value}:"):
            asked.setdefault(application, []).append(showing)
    return {application: requests_of(asked[application]) for application in with_webhooks(connection, sorted(asked))}
