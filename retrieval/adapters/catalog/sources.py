"""The registry of sources."""

import json
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.runs import CatalogRuns
from retrieval.adapters.catalog.tables import document_versions, documents, grants, quarantine, source_versions, sources
from retrieval.domain.errors import Conflict, InvalidInput
from retrieval.domain.sources import SourceSpec, SourceState, spec_as_json, spec_from_json
from retrieval.ports.sources import RegisteredSource, SourceStatus


class CatalogSources:
    """`SourceRegistry` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
            if before is None:
                opened = {"id": spec.id, "kind": spec.kind, "state": SourceState.ACTIVE.value, "run_token": 0}
                connection.execute(insert(sources).values(**opened, **values))
            else:
                connection.execute(update(sources).where(sources.c.id == spec.id).values(**values))
            history = {"source": spec.id, "version": version, "spec": stored}
            connection.execute(
                insert(source_versions).values(**history, registered_at=values["registered_at"], registered_by=values["registered_by"])
            )
        return version

    def set_state(self, source: str, state: SourceState, *, by: str) -> None:
        if state is SourceState.RETIRED:
            raise InvalidInput.of("state", "retire a source by retiring it: its documents are withdrawn with it")
        with self._database.write() as connection:
            row = _one(connection, source)
            if row.state == SourceState.RETIRED.value:
                raise Conflict("this source is retired")
            connection.execute(update(sources).where(sources.c.id == source).values(state=state.value, registered_by=by))

    def get(self, source: str) -> RegisteredSource:
        with self._database.read() as connection:
            return _registered(_one(connection, source))

    def list(self) -> list[RegisteredSource]:
        with self._database.read() as connection:
            return [_registered(row) for row in connection.execute(select(sources).order_by(sources.c.id))]

    def status(self, source: str) -> SourceStatus:
        with self._database.read() as connection:
            registered = _registered(_one(connection, source))
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
                passages=sum(row[2] or 0 for row in formats),
                formats={row[0]: row[1] for row in formats},
            )
        last = CatalogRuns(self._database).runs(source, limit=1)
        return status if not last else SourceStatus(**{**vars(status), "last_run": last[0]})


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
