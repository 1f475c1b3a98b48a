"""Answers that were given and what was said of them. Questions and notes are encrypted under the audit log's query key."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.audit.group import GroupCommit
from retrieval.adapters.catalog.audit.secrecy import AuditKeys, keys_of, make_keys
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.learning import gap_rows
from retrieval.adapters.catalog.tables import answers_given, feedback, gaps
from retrieval.adapters.catalog.verdicts import keep_verdict, withdraw_verdict
from retrieval.domain.answers import AnswerOutcome, Reason
from retrieval.domain.audit import AuditAction, AuditEntry
from retrieval.domain.calibration import JudgedAnswer
from retrieval.domain.clock import stamp, unstamp
from retrieval.domain.errors import NotReadable
from retrieval.domain.feedback import CONTRARY, JUDGES, AnswerGiven, Feedback, FeedbackKind, GivenCitation, judgement
from retrieval.domain.gaps import Gap

_RIGHT = [kind.value for kind, is_right in JUDGES.items() if is_right]
_WRONG = [kind.value for kind, is_right in JUDGES.items() if not is_right]


class CatalogAnswersGiven:
    """`AnswersGiven` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._committing = GroupCommit(self._write)
        self._has_keys = False

    def keep(self, given: AnswerGiven, gaps: Sequence[Gap] = ()) -> None:
        self._committing.write((given, gaps))

    def of(self, asker: str, request_id: str) -> AnswerGiven:
        self._make_keys()
        with self._database.read() as connection:
            return _given(connection, asker, request_id)

    def give(self, said: Feedback, new_gaps: Sequence[Gap], *, verdict: JudgedAnswer | None) -> list[Feedback]:
        self._make_keys()
        with self._database.write() as connection:
            _given(connection, said.asker, said.request_id)
            keys = keys_of(connection)
            for kind in (said.kind, *CONTRARY[said.kind]):
                _take_back(connection, said.request_id, kind)
            connection.execute(
                insert(feedback).values(
                    request_id=said.request_id,
                    kind=said.kind.value,
                    citation=said.citation,
                    note=keys.sealed_query(said.note) if said.note else None,
                    at=stamp(said.at),
                )
            )
            gap_rows.add(connection, new_gaps, keys)
            left = _said(connection, said.asker, said.request_id, keys)
            _judge(connection, verdict, left)
            self._record(connection, AuditAction.FEEDBACK_GIVEN, said.asker, said.request_id, said.kind)
            return left

    def withdraw(self, asker: str, request_id: str, kind: FeedbackKind, *, verdict: JudgedAnswer | None) -> list[Feedback]:
        self._make_keys()
        with self._database.write() as connection:
            _given(connection, asker, request_id)
            was_there = _take_back(connection, request_id, kind)
            left = _said(connection, asker, request_id, keys_of(connection))
            _judge(connection, verdict, left)
            if was_there:
                self._record(connection, AuditAction.FEEDBACK_WITHDRAWN, asker, request_id, kind)
            return left

    def said(self, asker: str, request_id: str) -> list[Feedback]:
        self._make_keys()
        with self._database.read() as connection:
            _given(connection, asker, request_id)
            return _said(connection, asker, request_id, keys_of(connection))

    def judged(self, curated: str) -> tuple[int, int]:
        def people(kinds: list[str]) -> Any:  # noqa: ANN401 - SQLAlchemy's expression
            return func.count(case((feedback.c.kind.in_(kinds), answers_given.c.asker)).distinct())

        counted = select(people(_RIGHT), people(_WRONG)).join(answers_given, answers_given.c.request_id == feedback.c.request_id)
        with self._database.read() as connection:
            right, wrong = connection.execute(counted.where(answers_given.c.curated == curated)).one()
        return int(right), int(wrong)

    def _write(self, together: Sequence[tuple[AnswerGiven, Sequence[Gap]]]) -> None:
        self._make_keys()
        with self._database.write() as connection:
            keys = keys_of(connection)
            connection.execute(insert(answers_given), [_columns(given, keys) for given, _ in together])
            gap_rows.add(connection, [gap for _, new in together for gap in new], keys)

    def _record(self, connection: Connection, action: AuditAction, asker: str, request_id: str, kind: FeedbackKind) -> None:
        entry = AuditEntry(action, asker, outcome=kind.value, details={"answer": request_id})
        append(connection, entry, at=self._database.now())

    def _make_keys(self) -> None:
        if not self._has_keys:
            make_keys(self._database)
            self._has_keys = True


def _given(connection: Connection, asker: str, request_id: str) -> AnswerGiven:
    mine = select(answers_given).where(answers_given.c.request_id == request_id, answers_given.c.asker == asker)
    row = connection.execute(mine).one_or_none()
    if row is None:
        raise NotReadable("there is no such answer, or it was not given to you")
    return _answer(row, keys_of(connection))


def _take_back(connection: Connection, request_id: str, kind: FeedbackKind) -> bool:
    """Also the gaps that it made."""
    connection.execute(delete(gaps).where(gaps.c.about == request_id, gaps.c.kind == kind.value))
    return connection.execute(delete(feedback).where(feedback.c.request_id == request_id, feedback.c.kind == kind.value)).rowcount > 0


def _said(connection: Connection, asker: str, request_id: str, keys: AuditKeys) -> list[Feedback]:
    rows = connection.execute(select(feedback).where(feedback.c.request_id == request_id).order_by(feedback.c.kind))
    return [
        Feedback(
            request_id,
            asker,
            FeedbackKind(row.kind),
            row.citation,
            "" if row.note is None else keys.opened_query(row.note) or "",
            unstamp(row.at),
        )
        for row in rows
    ]


def _judge(connection: Connection, verdict: JudgedAnswer | None, said: Sequence[Feedback]) -> None:
    if verdict is None:
        return
    is_right = judgement(each.kind for each in said)
    if is_right is None:
        withdraw_verdict(connection, verdict.about, verdict.by)
    else:
        keep_verdict(connection, replace(verdict, is_right=is_right))


def _columns(given: AnswerGiven, keys: AuditKeys) -> dict[str, Any]:
    return {
        "request_id": given.request_id,
        "asker": given.asker,
        "through": given.through,
        "question": keys.sealed_query(given.question or ""),
        "outcome": given.outcome.value,
        "reason": None if given.reason is None else given.reason.value,
        "citations": json.dumps([[each.id, each.document, each.source] for each in given.citations]),
        "sources": json.dumps(list(given.sources)),
        "signals": json.dumps(dict(given.signals)),
        "confidence_model": given.confidence_model,
        "generator": given.generator,
        "prompt": given.prompt,
        "curated": given.curated,
        "at": stamp(given.at),
    }


def _answer(row: Row[Any], keys: AuditKeys) -> AnswerGiven:
    return AnswerGiven(
        request_id=row.request_id,
        asker=row.asker,
        through=row.through,
        question=keys.opened_query(row.question),
        outcome=AnswerOutcome(row.outcome),
        reason=None if row.reason is None else Reason(row.reason),
        citations=tuple(GivenCitation(*each) for each in json.loads(row.citations)),
        sources=tuple(json.loads(row.sources)),
        signals=json.loads(row.signals),
        confidence_model=row.confidence_model,
        generator=row.generator,
        prompt=row.prompt,
        curated=row.curated,
        at=unstamp(row.at),
    )
