"""The registry of sources."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database, next_revision
from retrieval.adapters.catalog.runs import CatalogRuns
from retrieval.adapters.catalog.tables import document_versions, documents, grants, quarantine, source_versions, sources
from retrieval.domain.audit import AuditAction, AuditEntry
from retrieval.domain.clock import stamp, unstamp
from retrieval.domain.errors import Conflict, InvalidInput
from retrieval.domain.sources import SourceSpec, SourceState, StalePermissions, spec_as_json, spec_from_json
from retrieval.ports.sources import PermissionAge, RegisteredSource, Registration, SourceStatus


class CatalogSources:
    """`SourceRegistry` over the catalog."""

    def __init__(self, database: Database, *, default_max_age: timedelta) -> None:
        self._database = database
        self._default_max_age = default_max_age

    def register(self, spec: SourceSpec, *, by: str) -> int:
        stored = json.dumps(spec_as_json(spec), sort_keys=True, ensure_ascii=False)
        with self._database.write() as connection:
            before = connection.execute(select(sources).where(sources.c.id == spec.id)).one_or_none()
            if before is not None and before.state == SourceState.RETIRED.value:
                raise Conflict("this source is retired: register it under another id")
            if before is not None and before.kind != spec.kind:
                raise Conflict(f"this source is registered as a {before.kind} source: register the new kind under another id")
            if before is not None and before.spec == stored:
                return int(before.spec_version)
            version = 1 if before is None else before.spec_version + 1
            values = {"spec": stored, "spec_version": version, "registered_at": self._database.now(), "registered_by": by}
            values |= self._limits(spec, None if before is None else before.permissions_read_at)
            if before is None:
                opened = {"id": spec.id, "kind": spec.kind, "state": SourceState.ACTIVE.value, "run_token": 0}
                connection.execute(insert(sources).values(**opened, **values))
            else:
                connection.execute(update(sources).where(sources.c.id == spec.id).values(**values))
                next_revision(connection)
            history = {"source": spec.id, "version": version, "spec": stored}
            connection.execute(
                insert(source_versions).values(**history, registered_at=values["registered_at"], registered_by=values["registered_by"])
            )
            registered = {"source": spec.id, "spec_version": version, "classification": spec.classification.value, "region": spec.region}
            append(connection, AuditEntry(AuditAction.SOURCE_REGISTERED, by, details=registered), at=self._database.now())
        return version

    def _limits(self, spec: SourceSpec, read_at: str | None) -> dict[str, object]:
        """What limits who may read the source besides the grants of its documents."""
        return {
            "sensitivity": spec.classification.sensitivity,
            "region": spec.region,
            "withhold_stale": spec.stale_permissions is StalePermissions.WITHHOLD,
            "permissions_fresh_until": None if read_at is None else _fresh_until(spec, read_at, self._default_max_age),
        }

    def set_state(self, source: str, state: SourceState, *, by: str) -> None:
        if state is SourceState.RETIRED:
            raise InvalidInput.of("state", "retire a source by retiring it: its documents are withdrawn with it")
        with self._database.write() as connection:
            row = _one(connection, source)
            if row.state == SourceState.RETIRED.value:
                raise Conflict("this source is retired")
            connection.execute(update(sources).where(sources.c.id == source).values(state=state.value, registered_by=by))
            action = AuditAction.SOURCE_PAUSED if state is SourceState.PAUSED else AuditAction.SOURCE_RESUMED
            append(connection, AuditEntry(action, by, details={"source": source}), at=self._database.now())

    def get(self, source: str) -> RegisteredSource:
        with self._database.read() as connection:
            return _registered(_one(connection, source))

    def list(self) -> list[RegisteredSource]:
        with self._database.read() as connection:
            return [_registered(row) for row in connection.execute(select(sources).order_by(sources.c.id))]

    def history(self, source: str) -> tuple[Registration, ...]:
        versions = select(source_versions).where(source_versions.c.source == source).order_by(source_versions.c.version.desc())
        with self._database.read() as connection:
            _one(connection, source)
            rows = connection.execute(versions).all()
        return tuple(Registration(spec_from_json(json.loads(row.spec)), row.version, row.registered_at, row.registered_by) for row in rows)

    def status(self, source: str) -> SourceStatus:
        with self._database.read() as connection:
            row = _one(connection, source)
            registered = _registered(row)
            listed = (documents.c.source == source, documents.c.listed_run.is_not(None))
            current = select(document_versions.c.media_type, func.count(), func.sum(document_versions.c.passages)).where(
                document_versions.c.source == source, document_versions.c.state == "current"
            )
            formats = connection.execute(current.group_by(document_versions.c.media_type)).all()
            quarantined = select(func.count()).select_from(quarantine).join(documents, documents.c.id == quarantine.c.document)
            has_reader = (
                select(grants.c.subject).where(grants.c.access_class == documents.c.access_class, grants.c.effect == "allow").exists()
            )
            counted = select(func.count()).select_from(documents).where(*listed)
            status = SourceStatus(
                source=registered,
                documents=_count(connection, counted),
                readable=_count(connection, counted.where(has_reader, documents.c.current_version.is_not(None))),
                nobody_reads=_count(connection, counted.where(~has_reader)),
                quarantined=_count(connection, quarantined.where(*listed)),
                passages=sum(passages or 0 for _, _, passages in formats),
                formats={media_type: count for media_type, count, _ in formats},
                permissions_read_at=row.permissions_read_at,
                permissions=_permission_age(row, self._database.now()),
            )
        last = CatalogRuns(self._database).runs(source, limit=1)
        return status if not last else SourceStatus(**{**vars(status), "last_run": last[0]})


def fresh_until_of(stored_spec: str, read_at: str, default_max_age: timedelta) -> str | None:
    """Until when the permissions that were read at `read_at` are believed; None: for ever. `stored_spec` is the catalog's JSON."""
    return _fresh_until(spec_from_json(json.loads(stored_spec)), read_at, default_max_age)


def _fresh_until(spec: SourceSpec, read_at: str, default_max_age: timedelta) -> str | None:
    max_age = timedelta(hours=spec.max_permission_age_hours) or default_max_age
    return stamp(unstamp(read_at) + max_age) if max_age else None


def _permission_age(row: Row[Any], now: str) -> PermissionAge:
    if row.permissions_fresh_until is None or row.permissions_fresh_until > now:
        return PermissionAge.FRESH
    return PermissionAge.WITHHELD if row.withhold_stale else PermissionAge.WARNED


def _one(connection: Connection, source: str) -> Row[Any]:
    row = connection.execute(select(sources).where(sources.c.id == source)).one_or_none()
    if row is None:
        raise InvalidInput.of("source", "there is no such source")
    return row


def _registered(row: Row[Any]) -> RegisteredSource:
    return RegisteredSource(
        spec_from_json(json.loads(row.spec)),
        row.spec_version,
        SourceState(row.state),
        row.registered_at,
        row.registered_by,
        row.last_success_at,
        row.last_success_spec_version,
    )


def _count(connection: Connection, query: Any) -> int:  # noqa: ANN401 - a select of one number
    return int(connection.scalar(query) or 0)
