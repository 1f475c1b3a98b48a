"""From source file to staged version: what has to be looked at, what parsing gave, what is in quarantine."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.runs import fence
from retrieval.adapters.catalog.tables import document_versions, documents, parsed, passages, quarantine, texts
from retrieval.adapters.catalog.versions import holds
from retrieval.adapters.catalog.versions.tombstones import erased_of
from retrieval.domain.clock import stamp
from retrieval.domain.documents import Element, ElementKind, Gone, ParsedDocument, Rejection, Span, VersionState
from retrieval.domain.ids import document_id, passage_id, text_hash, version_id
from retrieval.domain.ingestion import ParsedRecord, QuarantinedDocument, Seen, SourceRun, StagedVersion, StoredAttachment, Taken, WorkItem
from retrieval.domain.passages import DraftPassage

_STAGED = VersionState.STAGED.value


class CatalogStaging:
    """`Staging` over the catalog.

    Args:
        attempts: failed attempts at one content before it waits for the content or the recipe to change.
        retry_seconds: pause before the second attempt; doubles for each further one.
    """

    def __init__(self, database: Database, *, attempts: int, retry_seconds: int) -> None:
        self._database = database
        self._attempts = attempts
        self._retry_seconds = retry_seconds

    def pending(self, run: SourceRun, *, recipe: str) -> Iterator[WorkItem]:
        parameters = {"source": run.source, "run": run.id, "recipe": recipe, "now": self._database.now()}
        with self._database.read() as connection:
            rows = connection.execute(_PENDING, parameters).all()
        for row in rows:
            same_recipe = row.recipe == recipe
            yield WorkItem(
                document=row.id,
                key=row.key,
                uri=row.uri,
                fingerprint=row.listed_fingerprint,
                validator=row.validator if same_recipe else None,
                content_hash=row.content_hash if same_recipe else None,
                is_attachment=row.parent is not None,
                quarantined=row.attempts is not None,
                retry_due=row.next_attempt_at is not None and row.next_attempt_at <= parameters["now"],
            )

    def parsed(self, key: str) -> ParsedRecord | None:
        with self._database.read() as connection:
            row = connection.execute(select(parsed).where(parsed.c.key == key)).one_or_none()
        if row is None:
            return None
        attachments = tuple(StoredAttachment(*attachment) for attachment in json.loads(row.attachments))
        return ParsedRecord(key, row.text, row.title, row.media_type, row.method, json.loads(row.metadata), attachments)

    def remember_parsed(self, key: str, found: ParsedDocument, attachments: Sequence[StoredAttachment]) -> ParsedRecord:
        elements = json.dumps([[e.span.start, e.span.end, e.kind.value, e.page, e.heading_path] for e in found.elements])
        hash_ = text_hash(found.text + "\x00" + elements)
        record = ParsedRecord(key, hash_, found.title, found.media_type, found.method, dict(found.metadata), tuple(attachments))
        with self._database.write() as connection:
            if connection.scalar(select(texts.c.hash).where(texts.c.hash == hash_)) is None:
                connection.execute(insert(texts).values(hash=hash_, text=found.text, elements=elements))
            if connection.scalar(select(parsed.c.key).where(parsed.c.key == key)) is None:
                connection.execute(insert(parsed).values(_parsed_row(record)))
        return record

    def unchanged(self, run: SourceRun, seen: Sequence[Seen]) -> None:
        rows = [{"seen": one.document, "fingerprint": one.fingerprint, "new_validator": one.validator} for one in seen]
        with self._database.write() as connection:
            fence(connection, run)
            if rows:
                connection.execute(_SEEN, rows)
                connection.execute(_FETCHED_AFTER_ALL, rows)

    def take(self, run: SourceRun, taken: Taken) -> None:
        with self._database.write() as connection:
            fence(connection, run)
            document = connection.execute(select(documents).where(documents.c.id == taken.document)).one()
            if document.listed_run != run.id:
                return  # it was withdrawn after this run had listed it
            drop_staged(connection, taken.document)
            connection.execute(delete(quarantine).where(quarantine.c.document == taken.document))
            is_held = holds.keeps_back(connection, taken.document, taken.content_hash)
            if not is_held and not _is_current(connection, document.current_version, taken):
                connection.execute(insert(document_versions).values(_staged_row(connection, run, document, taken)))
            connection.execute(
                update(documents)
                .where(documents.c.id == taken.document)
                .values(
                    taken_fingerprint=taken.fingerprint,
                    validator=taken.validator,
                    content_hash=taken.content_hash,
                    recipe=taken.recipe,
                    size_bytes=taken.size_bytes,
                )
            )
            if not is_held:
                _list_attachments(connection, run, document, taken)

    def gone(self, run: SourceRun, item: WorkItem, gone: Gone) -> None:
        with self._database.write() as connection:
            fence(connection, run)
            family = or_(documents.c.id == item.document, documents.c.parent == item.document)
            connection.execute(update(documents).where(family).values(listed_run=None))
            connection.execute(delete(quarantine).where(quarantine.c.document == item.document))

    def reject(self, run: SourceRun, item: WorkItem, rejection: Rejection, *, recipe: str, content_hash: str | None) -> None:
        with self._database.write() as connection:
            fence(connection, run)
            before = connection.execute(select(quarantine).where(quarantine.c.document == item.document)).one_or_none()
            same = before is not None and (before.content_hash, before.recipe) == (content_hash, recipe)
            attempts = before.attempts + 1 if before is not None and same else 1
            now = self._database.clock.now()
            due = now + timedelta(seconds=self._retry_seconds * 2 ** (attempts - 1))
            again = rejection.retryable and attempts < self._attempts
            connection.execute(delete(quarantine).where(quarantine.c.document == item.document))
            connection.execute(
                insert(quarantine).values(
                    document=item.document,
                    content_hash=content_hash,
                    recipe=recipe,
                    code=rejection.code.value,
                    reason=rejection.reason,
                    retryable=rejection.retryable,
                    attempts=attempts,
                    first_at=before.first_at if before is not None and same else stamp(now),
                    last_at=stamp(now),
                    next_attempt_at=stamp(due) if again else None,
                )
            )
            if content_hash is not None:
                seen = {"taken_fingerprint": item.fingerprint, "content_hash": content_hash, "recipe": recipe, "validator": None}
                connection.execute(update(documents).where(documents.c.id == item.document).values(**seen))

    def quarantined(self, source: str) -> list[QuarantinedDocument]:
        query = (
            select(quarantine, documents.c.key)
            .join(documents, documents.c.id == quarantine.c.document)
            .where(documents.c.source == source, documents.c.listed_run.is_not(None))
            .order_by(documents.c.key)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [QuarantinedDocument(r.document, r.key, r.code, r.reason, r.attempts, r.next_attempt_at) for r in rows]

    def to_chunk(self, run: SourceRun) -> Iterator[StagedVersion]:
        query = (
            select(document_versions.c.id)
            .where(document_versions.c.source == run.source, document_versions.c.state == _STAGED)
            .where(document_versions.c.passages.is_(None))
            .order_by(document_versions.c.id)
        )
        with self._database.read() as connection:
            waiting = connection.scalars(query).all()
        for version in waiting:
            with self._database.read() as connection:
                row = connection.execute(_STAGED_TEXT, {"version": version}).one_or_none()
            if row is not None:
                yield StagedVersion(row.id, row.document, row.title, row.media_type, row.body, elements_of(row.elements), row.key)

    def store_passages(self, run: SourceRun, version: StagedVersion, drafts: Sequence[DraftPassage]) -> None:
        rows = [_passage_row(version.id, draft) for draft in drafts]
        with self._database.write() as connection:
            fence(connection, run)
            counted = update(document_versions).where(document_versions.c.id == version.id, document_versions.c.state == _STAGED)
            if connection.execute(counted.values(passages=len(rows))).rowcount == 0:
                return  # a newer content of the document was staged meanwhile
            connection.execute(delete(passages).where(passages.c.version == version.id))
            if rows:
                connection.execute(insert(passages), rows)


def elements_of(stored: str) -> tuple[Element, ...]:
    return tuple(
        Element(Span(start, end), ElementKind(kind), page, tuple(headings)) for start, end, kind, page, headings in json.loads(stored)
    )


def drop_staged(connection: Connection, document: str) -> None:
    """Forget staged versions of a document; nobody has seen them."""
    staged = select(document_versions.c.id).where(document_versions.c.document == document, document_versions.c.state == _STAGED)
    connection.execute(delete(passages).where(passages.c.version.in_(staged)))
    connection.execute(delete(document_versions).where(document_versions.c.document == document, document_versions.c.state == _STAGED))


def _is_current(connection: Connection, current: str | None, taken: Taken) -> bool:
    """Whether readers see this content under this recipe already: then there is nothing to stage."""
    version = connection.execute(select(document_versions).where(document_versions.c.id == current)).one_or_none()
    if version is None or (version.content_hash, version.recipe) != (taken.content_hash, taken.recipe):
        return False
    return taken.title in {None, version.title}


def _staged_row(connection: Connection, run: SourceRun, document: Any, taken: Taken) -> dict[str, Any]:  # noqa: ANN401 - a Row
    number = (connection.scalar(_LAST_NUMBER, {"document": taken.document}) or 0) + 1
    return {
        "id": version_id(taken.document, number),
        "document": taken.document,
        "source": run.source,
        "number": number,
        "state": _STAGED,
        "content_hash": taken.content_hash,
        "recipe": taken.recipe,
        "parsed": taken.parsed.key,
        "text": taken.parsed.text_hash,
        "title": taken.parsed.title if taken.title is None else taken.title,
        "media_type": taken.parsed.media_type,
        "uri": document.uri,
        "modified_at": taken.modified_at or document.modified_at,
    }


def _list_attachments(connection: Connection, run: SourceRun, parent: Any, taken: Taken) -> None:  # noqa: ANN401 - a Row
    """Attachments are listed with their parent: same readers, their content hash as fingerprint."""
    root = parent.parent or parent.id
    stem = f"{parent.key}#"
    below = [row for row in connection.execute(select(documents).where(documents.c.parent == root)) if row.key.startswith(stem)]
    if below:
        connection.execute(update(documents).where(documents.c.id.in_([row.id for row in below])).values(listed_run=None))
    known = {row.id for row in below}
    erased = erased_of(connection, run.source)
    for number, attachment in enumerate(taken.parsed.attachments, 1):
        key = f"{stem}{number}/{attachment.name}"
        values = {
            "listed_run": run.id,
            "listed_fingerprint": attachment.content_hash,
            "uri": f"{parent.uri}#{number}",
            "size_bytes": attachment.size_bytes,
            "modified_at": taken.modified_at or parent.modified_at,
            "access_class": parent.access_class,
            "policy_problem": parent.policy_problem,
        }
        child = document_id(run.source, key)
        if child in erased:
            continue
        if child in known:
            connection.execute(update(documents).where(documents.c.id == child).values(**values))
        else:
            connection.execute(insert(documents).values(id=child, source=run.source, key=key, parent=root, **values))


def _parsed_row(record: ParsedRecord) -> dict[str, Any]:
    return {
        "key": record.key,
        "text": record.text_hash,
        "title": record.title,
        "media_type": record.media_type,
        "method": record.method,
        "metadata": json.dumps(dict(record.metadata), ensure_ascii=False),
        "attachments": json.dumps([[a.name, a.content_hash, a.size_bytes] for a in record.attachments]),
    }


def _passage_row(version: str, draft: DraftPassage) -> dict[str, Any]:
    return {
        "id": passage_id(version, draft.ordinal),
        "version": version,
        "ordinal": draft.ordinal,
        "span_start": draft.span.start,
        "span_end": draft.span.end,
        "page": draft.page,
        "heading_path": json.dumps(draft.heading_path, ensure_ascii=False),
        "prefix": draft.prefix,
        "text_hash": text_hash(draft.text),
        "embedded_hash": text_hash(draft.embedded_text),
        "tokens": draft.tokens,
    }


_LAST_NUMBER = select(func.max(document_versions.c.number)).where(document_versions.c.document == bindparam("document"))
_STAGED_TEXT = (
    select(document_versions, texts.c.text.label("body"), texts.c.elements, documents.c.key)
    .join(texts, texts.c.hash == document_versions.c.text)
    .join(documents, documents.c.id == document_versions.c.document)
    .where(document_versions.c.id == bindparam("version"), document_versions.c.state == _STAGED)
)
_SEEN = (
    update(documents)
    .where(documents.c.id == bindparam("seen"))
    .values(taken_fingerprint=bindparam("fingerprint"), validator=bindparam("new_validator"))
)
_FETCHED_AFTER_ALL = delete(quarantine).where(quarantine.c.document == bindparam("seen"), quarantine.c.content_hash.is_(None))
_RETRY_DUE = and_(quarantine.c.next_attempt_at.is_not(None), quarantine.c.next_attempt_at <= bindparam("now"))
_UNSEEN = or_(
    documents.c.listed_fingerprint.is_(None),
    documents.c.taken_fingerprint.is_distinct_from(documents.c.listed_fingerprint),
    documents.c.recipe.is_distinct_from(bindparam("recipe")),
)
_PENDING = (
    select(documents, quarantine.c.attempts, quarantine.c.next_attempt_at)
    .join(quarantine, quarantine.c.document == documents.c.id, isouter=True)
    .where(documents.c.source == bindparam("source"), documents.c.listed_run == bindparam("run"))
    .where(or_(_UNSEEN, _RETRY_DUE))
    .order_by(documents.c.key)
)
