"""Lineage both ways, read from the audit log, the versions and the runs. Each call is one snapshot."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Select, literal, select

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.lineage.showings import cut, showings_of
from retrieval.adapters.catalog.tables import Key, answers_given, audit, audit_requests, document_versions, documents, source_runs
from retrieval.domain.documents import VersionState
from retrieval.domain.errors import NotReadable
from retrieval.domain.lineage import Showing, TracedAnswer, TracedDocument, TracedRun, TracedVersion

ERASED = "erased"
_VERSIONS = select(
    document_versions.c.id,
    document_versions.c.document,
    document_versions.c.source,
    document_versions.c.number,
    document_versions.c.state,
    document_versions.c.content_hash,
    document_versions.c.recipe,
    document_versions.c.published_run,
    document_versions.c.published_at,
).where(document_versions.c.state != VersionState.STAGED.value)


class CatalogLineage:
    """`LineageReader` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def answer(self, request_id: str) -> TracedAnswer:
        of_request = select(audit.c.record).join(audit_requests, audit_requests.c.seq == audit.c.seq)
        last = of_request.where(audit_requests.c.request_id == request_id).order_by(audit.c.seq.desc()).limit(1)
        with self._database.read() as connection:
            written = connection.scalar(last)
            if written is None:
                raise NotReadable("no passage left under this request")
            calibration = connection.scalar(select(answers_given.c.confidence_model).where(answers_given.c.request_id == request_id))
            record = json.loads(written)
            return _answer(record, _handed_over(connection, record), calibration)

    def run(self, run: str, *, limit: int) -> TracedRun:
        published = document_versions.c.published_run == run
        with self._database.read() as connection:
            row = connection.execute(select(source_runs).where(source_runs.c.id == run)).one_or_none()
            if row is None:
                raise NotReadable("there is no such run")
            versions = connection.execute(_VERSIONS.where(published).order_by(document_versions.c.id)).all()
            of = select(document_versions.c.document).where(published)
            shown, has_more = _shown(connection, of, versions, limit)
        return TracedRun(
            row.id,
            row.source,
            row.spec_version,
            row.started_at,
            row.finished_at,
            row.outcome,
            versions=tuple(_version(each) for each in versions[:limit]),
            showings=shown,
            has_more_versions=len(versions) > limit,
            has_more_showings=has_more,
        )

    def document(self, document: str, *, limit: int) -> TracedDocument:
        with self._database.read() as connection:
            source = connection.scalar(select(documents.c.source).where(documents.c.id == document))
            if source is None:
                raise NotReadable("there is no such document")
            mine = _VERSIONS.where(document_versions.c.document == document)
            versions = connection.execute(mine.order_by(document_versions.c.number.desc())).all()
            shown, has_more = _shown(connection, select(literal(document, Key)), versions, limit)
        kept = tuple(_version(row) for row in versions[:limit])
        return TracedDocument(document, source, kept, shown, has_more_versions=len(versions) > limit, has_more_showings=has_more)


def _shown(connection: Connection, of: Select[tuple[str]], versions: Sequence[Row[Any]], limit: int) -> tuple[tuple[Showing, ...], bool]:
    return cut(showings_of(connection, of, frozenset(row.id for row in versions)), limit=limit)


def _handed_over(connection: Connection, record: Mapping[str, Any]) -> tuple[TracedVersion, ...]:
    named = {each["version"]: each for each in record.get("documents", ()) if "version" in each}
    quoted = set(record.get("details", {}).get("quoted", ()))
    rows = {row.id: row for row in connection.execute(_VERSIONS.where(document_versions.c.id.in_(list(named))))}
    found = []
    for id_, each in named.items():
        passages = tuple(passage["id"] for passage in each.get("passages", ()))
        cited = tuple(passage for passage in passages if passage in quoted)
        found.append(_version(rows[id_], passages, cited) if id_ in rows else _erased(id_, each["document"], passages, cited))
    return tuple(found)


def _version(row: Row[Any], passages: tuple[str, ...] = (), quoted: tuple[str, ...] = ()) -> TracedVersion:
    return replace(TracedVersion(*row), passages=passages, quoted=quoted)


def _erased(version: str, document: str, passages: tuple[str, ...], quoted: tuple[str, ...]) -> TracedVersion:
    return TracedVersion(version, document, "", 0, ERASED, "", "", None, None, passages, quoted)


def _answer(record: Mapping[str, Any], versions: tuple[TracedVersion, ...], calibration: str | None) -> TracedAnswer:
    details, acts_for = record.get("details", {}), record.get("act_for")
    return TracedAnswer(
        request_id=record["request_id"],
        action=record["action"],
        at=record["at"],
        person=acts_for or record["actor"],
        application=record["actor"] if acts_for else None,
        outcome=record["outcome"],
        revision=record["revision"],
        index_revision=record.get("index_revision"),
        model=record.get("model"),
        generator=details.get("generator"),
        prompt=details.get("prompt"),
        calibration=calibration,
        curated=details.get("curated"),
        escalation=details.get("escalation"),
        versions=versions,
        seq=record["seq"],
    )
