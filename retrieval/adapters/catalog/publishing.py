"""Making versions visible, and taking them back: whole or not at all, one transaction and one revision for each batch."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.classes import count_passages
from retrieval.adapters.catalog.embedding_models import live_model
from retrieval.adapters.catalog.embeddings import WITHOUT_EMBEDDING
from retrieval.adapters.catalog.engine import Database, current_revision, next_revision
from retrieval.adapters.catalog.graph.storing import forget_source
from retrieval.adapters.catalog.outbox import announce
from retrieval.adapters.catalog.runs import fence
from retrieval.adapters.catalog.staging import drop_staged
from retrieval.adapters.catalog.tables import document_versions, documents, passages, source_runs, sources
from retrieval.adapters.catalog.versions import holds, intervals
from retrieval.domain.audit import PIPELINE, AuditAction, AuditedDocument, AuditEntry, spread
from retrieval.domain.documents import VersionState
from retrieval.domain.errors import Conflict
from retrieval.domain.ingestion import PublicationCounts, SourceRun
from retrieval.domain.sources import SourceState


class CatalogPublishing:
    """`Publishing` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, run: SourceRun, *, model: str, batch: int) -> Iterator[PublicationCounts]:
        with self._database.read() as connection:
            ready = iter(connection.scalars(_READY, {"source": run.source, "model": model}).all())
        while versions := list(islice(ready, batch)):
            yield self._publish(run, versions, model)
        with self._database.read() as connection:
            waiting = int(connection.scalar(_WAITING, {"source": run.source}) or 0)
            yield PublicationCounts(waiting=waiting, revision=current_revision(connection))

    def withdraw_missing(self, run: SourceRun, *, batch: int) -> Iterator[PublicationCounts]:
        with self._database.read() as connection:
            listed_at = connection.scalar(select(source_runs.c.listed_at).where(source_runs.c.id == run.id))
            if listed_at is None:
                raise Conflict("the listing of this run is not complete: nothing is withdrawn on its word")
            missing = iter(connection.scalars(_MISSING, {"source": run.source, "run": run.id}).all())
        while gone := list(islice(missing, batch)):
            with self._database.write() as connection:
                fence(connection, run)
                withdrawn = AuditEntry(AuditAction.DOCUMENTS_WITHDRAWN, PIPELINE.subject, details={"source": run.source, "run": run.id})
                counts = withdraw(connection, gone, withdrawn, at=self._database.now(), run=run.id)
            yield counts

    def retire(self, source: str, *, by: str) -> PublicationCounts:
        with self._database.write() as connection:
            closed = {"state": SourceState.RETIRED.value, "run_token": sources.c.run_token + 1, "registered_by": by}
            if connection.execute(update(sources).where(sources.c.id == source).values(**closed)).rowcount == 0:
                raise Conflict("there is no such source")
            everything = connection.scalars(select(documents.c.id).where(documents.c.source == source)).all()
            counts = withdraw(
                connection, everything, AuditEntry(AuditAction.DOCUMENTS_WITHDRAWN, by, details={"source": source}), at=self._database.now()
            )
            forget_source(connection, source)
            append(connection, AuditEntry(AuditAction.SOURCE_RETIRED, by, details={"source": source}), at=self._database.now())
            return counts

    def _publish(self, run: SourceRun, versions: Sequence[str], model: str) -> PublicationCounts:
        """Under the model that is live now, which may not be the one that the run began with."""
        with self._database.write() as connection:
            fence(connection, run)
            live = live_model(connection, hold=True) or model
            rows = connection.execute(_STAGED, {"versions": list(versions), "model": live}).all()
            if not rows:
                return PublicationCounts(revision=current_revision(connection))
            revision = next_revision(connection)
            deltas = close_current(connection, [row.document for row in rows], VersionState.SUPERSEDED, revision=revision, run=run.id)
            now = self._database.now()
            intervals.publish(connection, [(row.document, row.id) for row in rows], revision=revision, at=now, run=run.id)
            holds.forget(connection, [row.document for row in rows])
            for row in rows:
                deltas[row.access_class] = deltas.get(row.access_class, 0) + row.passages
            count_passages(connection, deltas)
            announce(connection, [row.document for row in rows], revision=revision, access_only=False)
            published = AuditEntry(AuditAction.DOCUMENTS_PUBLISHED, PIPELINE.subject, details={"source": run.source, "run": run.id})
            documents_now = [AuditedDocument(row.document, row.id, row.access_class) for row in rows]
            append(connection, *spread(published, documents_now), at=now)
            return PublicationCounts(published=len(rows), passages=sum(row.passages for row in rows), revision=revision)


def withdraw(connection: Connection, gone: Sequence[str], entry: AuditEntry, *, at: str, run: str | None = None) -> PublicationCounts:
    """Close the current versions of these documents and forget what was staged; seen again, they are taken in anew.

    What was readable until now is recorded with `entry`.
    """
    for document in gone:
        drop_staged(connection, document)
    holds.drop(connection, gone)
    current = connection.scalars(select(documents.c.id).where(documents.c.id.in_(gone), documents.c.current_version.is_not(None))).all()
    forgotten = dict.fromkeys(("listed_run", "current_version", "taken_fingerprint", "validator", "content_hash", "recipe"))
    if not current:
        connection.execute(update(documents).where(documents.c.id.in_(gone)).values(**forgotten))
        return PublicationCounts(revision=current_revision(connection))
    revision = next_revision(connection)
    count_passages(connection, close_current(connection, current, VersionState.WITHDRAWN, revision=revision, run=run))
    connection.execute(update(documents).where(documents.c.id.in_(gone)).values(**forgotten))
    announce(connection, current, revision=revision, access_only=False)
    append(connection, *spread(entry, [AuditedDocument(document) for document in current]), at=at)
    return PublicationCounts(withdrawn=len(current), revision=revision)


def close_current(
    connection: Connection, of: Sequence[str], state: VersionState, *, revision: int, run: str | None = None
) -> dict[int, int]:
    """Close the current versions of these documents. Returns what each access class loses, as negative counts."""
    closing: Sequence[Row[Any]] = connection.execute(_CURRENT, {"documents": list(of)}).all()
    intervals.close(connection, [row.id for row in closing], state, revision=revision, run=run)
    deltas: dict[int, int] = {}
    for row in closing:
        deltas[row.access_class] = deltas.get(row.access_class, 0) - row.passages
    return deltas


_IS_STAGED = document_versions.c.state == VersionState.STAGED.value
_INCOMPLETE = select(passages.c.id).where(passages.c.version == document_versions.c.id, WITHOUT_EMBEDDING).exists()
_READY = (
    select(document_versions.c.id)
    .where(document_versions.c.source == bindparam("source"), _IS_STAGED, document_versions.c.passages.is_not(None), ~_INCOMPLETE)
    .order_by(document_versions.c.id)
)
_WAITING = select(func.count()).select_from(document_versions).where(document_versions.c.source == bindparam("source"), _IS_STAGED)
_STAGED = (
    select(document_versions, documents.c.access_class)
    .join(documents, documents.c.id == document_versions.c.document)
    .where(document_versions.c.id.in_(bindparam("versions", expanding=True)), _IS_STAGED, document_versions.c.passages.is_not(None))
    .where(~_INCOMPLETE)
)
_CURRENT = (
    select(document_versions.c.id, document_versions.c.passages, documents.c.access_class)
    .join(documents, documents.c.id == document_versions.c.document)
    .where(documents.c.id.in_(bindparam("documents", expanding=True)), document_versions.c.state == VersionState.CURRENT.value)
)
_MISSING = (
    select(documents.c.id)
    .where(documents.c.source == bindparam("source"), documents.c.listed_run.is_distinct_from(bindparam("run")))
    .where(documents.c.current_version.is_not(None) | documents.c.listed_run.is_not(None), ~holds.IS_HELD_ABSENT)
    .order_by(documents.c.id)
)
