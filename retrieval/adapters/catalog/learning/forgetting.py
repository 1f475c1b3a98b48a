"""Deleting what is kept of a person's questions, and what is kept too long."""

from datetime import datetime

from sqlalchemy import Connection, Select, delete, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import answers_given, citation_receipts, curated_answers, feedback, gaps
from retrieval.domain.audit import AuditAction, AuditEntry, Detail
from retrieval.domain.clock import stamp


class CatalogForgetting:
    """`Forgetting` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def forget(self, asker: str, *, by: str) -> int:
        with self._database.write() as connection:
            answers = _delete(connection, select(answers_given.c.request_id).where(answers_given.c.asker == asker))
            connection.execute(delete(gaps).where(gaps.c.asker == asker))
            connection.execute(delete(citation_receipts).where(citation_receipts.c.reader == asker))
            untied = update(curated_answers).where(curated_answers.c.asked_by == asker).values(asked_by=None)
            curated = connection.execute(untied).rowcount
            details: dict[str, Detail] = {"person": asker, "answers": answers, "curated": curated}
            append(connection, AuditEntry(AuditAction.PERSON_FORGOTTEN, by, details=details), at=self._database.now())
            return answers

    def forget_before(self, *, answers_before: datetime, gaps_before: datetime) -> int:
        with self._database.write() as connection:
            connection.execute(delete(gaps).where(gaps.c.at < stamp(gaps_before)))
            return _delete(connection, select(answers_given.c.request_id).where(answers_given.c.at < stamp(answers_before)))


def _delete(connection: Connection, answers: Select[tuple[str]]) -> int:
    connection.execute(delete(feedback).where(feedback.c.request_id.in_(answers)))
    return connection.execute(delete(answers_given).where(answers_given.c.request_id.in_(answers))).rowcount
