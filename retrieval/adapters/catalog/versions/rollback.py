"""Going back to earlier versions in one transaction and one revision. Texts, passages and embeddings stay what they were."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.classes import count_passages
from retrieval.adapters.catalog.engine import Database, current_revision, next_revision
from retrieval.adapters.catalog.outbox import announce
from retrieval.adapters.catalog.staging import drop_staged
from retrieval.adapters.catalog.tables import document_versions, documents, holds, recalled_versions, sources
from retrieval.adapters.catalog.versions import holds as holding
from retrieval.adapters.catalog.versions import intervals
from retrieval.adapters.catalog.versions.planning import Move, Moves, moves_of, portions
from retrieval.domain.audit import AuditAction, AuditedDocument, AuditEntry, Detail, spread
from retrieval.domain.clock import stamp
from retrieval.domain.documents import VersionState
from retrieval.domain.errors import Conflict, InvalidInput
from retrieval.domain.ingestion import SourceRun
from retrieval.domain.sources import SourceState
from retrieval.domain.versions import HeldDocument, RollbackPlan, RollbackRequest, RolledBack

RUN = "rollback"
"""Stands for the run's id where a rollback brings the graph to its versions."""


class CatalogRollback:
    """`Rollback` over the catalog. `most`: documents that one rollback changes."""

    def __init__(self, database: Database, *, most: int) -> None:
        self._database = database
        self._most = most

    def plan(self, request: RollbackRequest, *, model: str) -> RollbackPlan:
        with self._database.read() as connection:
            return moves_of(connection, request, model=model, most=self._most).as_plan(request.source)

    def roll_back(self, request: RollbackRequest, *, model: str, by: str, without_refused: bool = False) -> RolledBack:
        with self._database.write() as connection:
            run = _taken_over(connection, request.source)
            found = moves_of(connection, request, model=model, most=self._most)
            plan = found.as_plan(request.source)
            if plan.refused and not without_refused:
                first = plan.refused[0]
                raise Conflict(f"{len(plan.refused)} documents cannot go back, {first.key} among them: {first.refused}")
            moves = [move for move in found.moves if move.refused is None]
            if not moves:
                return RolledBack(plan, current_revision(connection), run)
            now = self._database.now()
            revision = _apply(connection, request.source, moves, by=by, at=now)
            append(connection, *_entries(request, moves, by), at=now)
            return RolledBack(Moves(tuple(moves), found.left_withdrawn).as_plan(request.source), revision, run)

    def held(self, source: str) -> Sequence[HeldDocument]:
        with self._database.read() as connection:
            rows = connection.execute(_HELD, {"source": source}).all()
        return [HeldDocument(row.document, row.key, row.content_hash is None, row.held_at, row.held_by) for row in rows]

    def release(self, source: str, *, document: str | None = None, by: str) -> int:
        with self._database.write() as connection:
            if connection.scalar(select(sources.c.id).where(sources.c.id == source)) is None:
                raise InvalidInput.of("source", "there is no such source")
            rows = connection.execute(_HELD.where(~_IS_RECALLED), {"source": source}).all()
            released = [row.document for row in rows if document in (None, row.document)]
            for some in portions(released):
                holding.drop(connection, some)
                connection.execute(update(documents).where(documents.c.id.in_(some)).values(**_TO_BE_READ_AGAIN))
            entry = AuditEntry(AuditAction.DOCUMENTS_RELEASED, by, details={"source": source})
            append(connection, *spread(entry, [AuditedDocument(id_) for id_ in released]), at=self._database.now())
        return len(released)


def _taken_over(connection: Connection, source: str) -> SourceRun:
    """Fence out whatever works on the source. Raises InvalidInput and Conflict."""
    held = update(sources).where(sources.c.id == source).values(run_token=sources.c.run_token + 1)
    row = connection.execute(held.returning(sources.c.run_token, sources.c.spec_version, sources.c.state)).one_or_none()
    if row is None:
        raise InvalidInput.of("source", "there is no such source")
    if row.state == SourceState.RETIRED.value:
        raise Conflict("the source is retired: its documents stay withdrawn")
    return SourceRun(RUN, source, row.run_token, row.spec_version)


def _apply(connection: Connection, source: str, moves: Sequence[Move], *, by: str, at: str) -> int:
    revision = next_revision(connection)
    replaced = [move.now.id for move in moves if move.now is not None and move.then is not None]
    withdrawn = [move for move in moves if move.now is not None and move.then is None]
    intervals.close(connection, replaced, VersionState.SUPERSEDED, revision=revision)
    intervals.close(connection, [move.now.id for move in withdrawn if move.now], VersionState.WITHDRAWN, revision=revision)
    intervals.reopen(connection, [(move.document, move.then.id) for move in moves if move.then is not None], revision=revision)
    for some in portions([move.document for move in withdrawn]):
        connection.execute(update(documents).where(documents.c.id.in_(some)).values(current_version=None))
    count_passages(connection, _deltas(moves))
    _hold(connection, source, moves, by=by, at=at)
    announce(connection, [move.document for move in moves], revision=revision, access_only=False)
    return revision


def _deltas(moves: Sequence[Move]) -> dict[int, int]:
    deltas: dict[int, int] = {}
    for move in moves:
        gained = (move.then.passages if move.then else 0) - (move.now.passages if move.now else 0)
        deltas[move.access_class] = deltas.get(move.access_class, 0) + gained
    return deltas


def _hold(connection: Connection, source: str, moves: Sequence[Move], *, by: str, at: str) -> None:
    """What the source has is held back, unless it is what was gone back to. A newer content that is staged comes with the next run."""
    for some in portions([move.document for move in moves]):
        connection.execute(delete(holds).where(holds.c.document.in_(some)))
    against = [move for move in moves if move.at_source != (move.then.content_hash if move.then else None)]
    holding.hold(connection, [(move.document, move.at_source) for move in against], by=by, at=at)
    held = {move.document: move.at_source for move in against}
    for row in connection.execute(_STAGED, {"source": source}).all():
        if row.document in held and held[row.document] == row.content_hash:
            drop_staged(connection, row.document)


def _entries(request: RollbackRequest, moves: Sequence[Move], by: str) -> list[AuditEntry]:
    wanted: dict[str, Detail] = {"source": request.source, "to_time": None if request.at is None else stamp(request.at)}
    wanted |= {"to_revision": request.revision, "before_run": request.before_run, "undone_run": request.undo_run}
    entry = AuditEntry(AuditAction.DOCUMENTS_ROLLED_BACK, by, details=wanted)
    return spread(entry, [AuditedDocument(move.document, move.then.id if move.then else None, move.access_class) for move in moves])


_TO_BE_READ_AGAIN = dict.fromkeys(("taken_fingerprint", "validator", "content_hash"))
_HELD = (
    select(holds, documents.c.key)
    .join(documents, documents.c.id == holds.c.document)
    .where(documents.c.source == bindparam("source"))
    .order_by(documents.c.key)
)
_IS_RECALLED = (
    select(recalled_versions.c.version)
    .join(document_versions, document_versions.c.id == recalled_versions.c.version)
    .where(recalled_versions.c.document == holds.c.document, document_versions.c.content_hash == holds.c.content_hash)
    .exists()
)
"""No owner lets go of a content that was recalled: it comes back when the source changes it."""
_STAGED = select(document_versions.c.document, document_versions.c.content_hash).where(
    document_versions.c.source == bindparam("source"), document_versions.c.state == VersionState.STAGED.value
)
