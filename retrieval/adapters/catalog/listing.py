"""What a source holds and who may read it. A changed permission takes effect in the transaction that records it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.classes import class_of, count_passages
from retrieval.adapters.catalog.contracts.restricting import as_restricted
from retrieval.adapters.catalog.engine import Database, next_revision
from retrieval.adapters.catalog.outbox import announce
from retrieval.adapters.catalog.pushing.listing import as_pushed_now
from retrieval.adapters.catalog.runs import fence
from retrieval.adapters.catalog.sources import fresh_until_of
from retrieval.adapters.catalog.tables import document_versions, documents, source_runs, sources
from retrieval.adapters.catalog.versions.holds import IS_HELD_ABSENT
from retrieval.adapters.catalog.versions.tombstones import without_erased
from retrieval.domain.audit import PIPELINE, AuditAction, AuditedDocument, AuditEntry, spread
from retrieval.domain.clock import stamp
from retrieval.domain.documents import SourceFile
from retrieval.domain.errors import InvalidInput
from retrieval.domain.ids import document_id
from retrieval.domain.ingestion import ListingCounts, SourceRun

_SEEN = update(documents).where(documents.c.id == bindparam("seen")).values(listed_run=bindparam("run"))
_LISTED = (
    update(documents)
    .where(documents.c.id == bindparam("seen"))
    .values(
        listed_run=bindparam("run"),
        listed_fingerprint=bindparam("fingerprint"),
        uri=bindparam("new_uri"),
        modified_at=bindparam("modified"),
        size_bytes=bindparam("size"),
        policy_problem=bindparam("problem"),
    )
)
_MOVED = update(documents).where(documents.c.id == bindparam("moved")).values(access_class=bindparam("to"))


class CatalogListing:
    """`Listing` over the catalog."""

    def __init__(self, database: Database, *, default_max_age: timedelta) -> None:
        self._database = database
        self._default_max_age = default_max_age

    def record(self, run: SourceRun, files: Sequence[SourceFile]) -> ListingCounts:
        by_id: Mapping[str, SourceFile] = {document_id(run.source, file.key): file for file in files}
        if len(by_id) != len(files):
            raise InvalidInput.of("listing", "the connector listed one key twice")
        with self._database.write() as connection:
            fence(connection, run)
            by_id = as_restricted(connection, run.source, as_pushed_now(connection, run.source, by_id))
            by_id = without_erased(connection, by_id)
            known = {row.id: row for row in connection.execute(select(documents).where(documents.c.id.in_(list(by_id))))}
            classes = {policy: class_of(connection, run.source, policy) for policy in {file.policy for file in by_id.values()}}
            new = [_row(run, id_, file, classes[file.policy]) for id_, file in by_id.items() if id_ not in known]
            if new:
                connection.execute(insert(documents), new)
            changed = [(id_, by_id[id_]) for id_, row in known.items() if _differs(row, by_id[id_])]
            if changed:
                connection.execute(_LISTED, [_update(run, id_, file) for id_, file in changed])
            same = [{"seen": id_, "run": run.id} for id_ in known.keys() - {id_ for id_, _ in changed}]
            if same:
                connection.execute(_SEEN, same)
            moved = {id_: classes[by_id[id_].policy] for id_, row in known.items() if row.access_class != classes[by_id[id_].policy]}
            family = reclassify(connection, moved)
            changed_permissions = _entry(AuditAction.PERMISSIONS_CHANGED, run)
            now_under = [AuditedDocument(id_, access_class=to) for id_, to in sorted(family.items())]
            append(connection, *spread(changed_permissions, now_under), at=self._database.now())
        return ListingCounts(
            listed=len(by_id),
            new=len(new),
            changed=sum(1 for id_, file in changed if known[id_].listed_fingerprint != file.fingerprint),
            policy_changed=len(moved),
            nobody_reads=sum(1 for file in by_id.values() if not file.policy.names_a_reader),
        )

    def complete(self, run: SourceRun) -> ListingCounts:
        with self._database.write() as connection:
            fence(connection, run)
            listed = select(documents.c.id).where(documents.c.source == run.source, documents.c.listed_run == run.id)
            connection.execute(
                update(documents)
                .where(documents.c.parent.in_(listed), documents.c.listed_run.is_not(None), documents.c.source == run.source)
                .values(listed_run=run.id)
            )
            connection.execute(update(source_runs).where(source_runs.c.id == run.id).values(listed_at=self._database.now()))
            missing = connection.scalar(
                select(func.count())
                .select_from(documents)
                .where(documents.c.source == run.source, documents.c.current_version.is_not(None))
                .where(documents.c.listed_run.is_distinct_from(run.id), ~IS_HELD_ABSENT)
            )
            self._permissions_read(connection, run)
        return ListingCounts(missing=int(missing or 0))

    def _permissions_read(self, connection: Connection, run: SourceRun) -> None:
        """The permissions are as old as the run's start. A revision if they had been too old to be believed."""
        row = connection.execute(
            select(sources.c.spec, sources.c.permissions_fresh_until, source_runs.c.started_at)
            .join(source_runs, source_runs.c.source == sources.c.id)
            .where(source_runs.c.id == run.id)
        ).one()
        fresh_until = fresh_until_of(row.spec, row.started_at, self._default_max_age)
        held = {"permissions_read_at": row.started_at, "permissions_fresh_until": fresh_until}
        connection.execute(update(sources).where(sources.c.id == run.source).values(**held))
        if row.permissions_fresh_until is not None and row.permissions_fresh_until <= self._database.now():
            next_revision(connection)
            append(connection, _entry(AuditAction.PERMISSIONS_RENEWED, run), at=self._database.now())


def reclassify(connection: Connection, moved: dict[str, int]) -> dict[str, int]:
    """Give documents, and the attachments found in them, another access class. A revision if any of it is current.

    Returns the class of each of them now, attachments included.
    """
    if not moved:
        return {}
    children = connection.execute(select(documents.c.id, documents.c.parent).where(documents.c.parent.in_(list(moved))))
    family = moved | {child.id: moved[child.parent] for child in children}
    current = connection.execute(
        select(documents.c.id, documents.c.access_class, document_versions.c.passages)
        .join(document_versions, document_versions.c.id == documents.c.current_version)
        .where(documents.c.id.in_(list(family)))
    ).all()
    connection.execute(_MOVED, [{"moved": id_, "to": to} for id_, to in sorted(family.items())])
    deltas: dict[int, int] = {}
    for row in current:
        deltas[row.access_class] = deltas.get(row.access_class, 0) - row.passages
        deltas[family[row.id]] = deltas.get(family[row.id], 0) + row.passages
    count_passages(connection, deltas)
    if current:
        announce(connection, [row.id for row in current], revision=next_revision(connection), access_only=True)
    return family


def _entry(action: AuditAction, run: SourceRun) -> AuditEntry:
    return AuditEntry(action, PIPELINE.subject, details={"source": run.source, "run": run.id})


def _row(run: SourceRun, id_: str, file: SourceFile, access_class: int) -> dict[str, Any]:
    return {
        "id": id_,
        "source": run.source,
        "key": file.key,
        "uri": file.uri,
        "modified_at": stamp(file.modified_at) if file.modified_at else None,
        "listed_run": run.id,
        "listed_fingerprint": file.fingerprint,
        "size_bytes": file.size_bytes,
        "access_class": access_class,
        "policy_problem": file.policy_problem,
    }


def _update(run: SourceRun, id_: str, file: SourceFile) -> dict[str, Any]:
    return {
        "seen": id_,
        "run": run.id,
        "fingerprint": file.fingerprint,
        "new_uri": file.uri,
        "modified": stamp(file.modified_at) if file.modified_at else None,
        "size": file.size_bytes,
        "problem": file.policy_problem,
    }


def _differs(row: Row[Any], file: SourceFile) -> bool:
    return (row.listed_fingerprint, row.uri, row.policy_problem) != (file.fingerprint, file.uri, file.policy_problem)
