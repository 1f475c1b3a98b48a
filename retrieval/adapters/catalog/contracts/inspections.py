"""What was found in texts, and taking documents with personal data from all but a few."""

import json
from dataclasses import asdict

from sqlalchemy import Connection, bindparam, insert, select

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.classes import class_of
from retrieval.adapters.catalog.contracts.restricting import named, reduced, terms_of, with_personal_data
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.listing import reclassify
from retrieval.adapters.catalog.runs import fence
from retrieval.adapters.catalog.staging import elements_of
from retrieval.adapters.catalog.tables import documents, grants, inspected_texts, texts
from retrieval.domain.audit import PIPELINE, AuditAction, AuditedDocument, AuditEntry, spread
from retrieval.domain.contracts import ContractTerms, PersonalData
from retrieval.domain.documents import ParsedDocument
from retrieval.domain.ingestion import ParsedRecord, SourceRun
from retrieval.domain.inspected import InspectedText
from retrieval.domain.permissions import AccessPolicy


class CatalogInspections:
    """`Inspections` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def inspected(self, text_hash: str, inspection: str) -> InspectedText | None:
        with self._database.read() as connection:
            row = connection.execute(_FOUND, {"text": text_hash, "inspection": inspection}).one_or_none()
        return None if row is None else inspected_of(row.language, row.findings)

    def remember(self, text_hash: str, inspection: str, found: InspectedText) -> None:
        findings = {name: dict(value) if isinstance(value, dict) else value for name, value in asdict(found).items() if name != "language"}
        with self._database.write() as connection:
            if connection.execute(_FOUND, {"text": text_hash, "inspection": inspection}).one_or_none() is None:
                values = {"language": found.language, "findings": json.dumps(findings, sort_keys=True)}
                connection.execute(insert(inspected_texts).values(text=text_hash, inspection=inspection, **values))

    def parsed(self, record: ParsedRecord) -> ParsedDocument:
        with self._database.read() as connection:
            row = connection.execute(select(texts).where(texts.c.hash == record.text_hash)).one()
        return ParsedDocument(record.title, record.media_type, row.text, elements_of(row.elements), record.method, record.metadata)

    def restrict(self, run: SourceRun, terms: ContractTerms) -> int:
        if terms.personal_data is not PersonalData.RESTRICT:
            return 0
        with self._database.write() as connection:
            fence(connection, run)
            owner, _ = terms_of(connection, run.source)
            found = with_personal_data(connection, run.source, terms)
            moved = {id_: to for id_ in sorted(found) if (to := _lowered(connection, run.source, id_, named(terms, owner))) is not None}
            family = reclassify(connection, moved)
            told = AuditEntry(AuditAction.PERMISSIONS_CHANGED, PIPELINE.subject, details={"source": run.source, "run": run.id})
            now_under = [AuditedDocument(id_, access_class=to) for id_, to in sorted(family.items())]
            append(connection, *spread(told, now_under), at=self._database.now())
        return len(found)


def inspected_of(language: str, findings: str) -> InspectedText:
    """From the catalog's JSON."""
    return InspectedText(language=language, **json.loads(findings))


def _lowered(connection: Connection, source: str, document: str, to: frozenset[str]) -> int | None:
    """The class that the document must move to; None where it, and all that is attached to it, is there already."""
    held = {row.id: row.access_class for row in connection.execute(_FAMILY, {"document": document})}
    granted = connection.execute(_GRANTS, {"class": held[document]}).all()
    policy = AccessPolicy.of(*([row.subject for row in granted if row.effect == effect] for effect in ("allow", "deny")))
    lowered = class_of(connection, source, reduced(policy, to))
    return None if set(held.values()) == {lowered} else lowered


_FOUND = select(inspected_texts).where(inspected_texts.c.text == bindparam("text"), inspected_texts.c.inspection == bindparam("inspection"))
_FAMILY = select(documents.c.id, documents.c.access_class).where(
    (documents.c.id == bindparam("document")) | (documents.c.parent == bindparam("document"))
)
_GRANTS = select(grants.c.effect, grants.c.subject).where(grants.c.access_class == bindparam("class"))
