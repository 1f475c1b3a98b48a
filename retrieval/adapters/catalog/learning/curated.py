"""Curated answers in the catalog: their changes, each with its audit record."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.learning import curated_rows
from retrieval.adapters.catalog.tables import curated_answers
from retrieval.domain.audit import SERVICE, AuditAction, AuditedDocument, AuditEntry, Detail
from retrieval.domain.clock import stamp
from retrieval.domain.curated import CuratedAnswer, CuratedDraft, CuratedState
from retrieval.domain.errors import Conflict, NotReadable
from retrieval.ports.learning import CuratedChange

_FINAL = frozenset({CuratedState.RETIRED, CuratedState.STALE})


class CatalogCurated:
    """`CuratedStore` over the catalog, but for what passes the gate (`curated_reader.py`) and what follows documents (`anchoring.py`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, draft: CuratedDraft, *, expires_at: datetime) -> CuratedAnswer:
        try:
            with self._database.write() as connection:
                return self.derive(connection, draft, expires_at=expires_at)
        except Conflict:
            return self.get(draft.id)  # another process derived it at the same moment

    def derive(self, connection: Connection, draft: CuratedDraft, *, expires_at: datetime) -> CuratedAnswer:
        """`add` within a caller's transaction."""
        known = curated_rows.load(connection, [draft.id])
        if known:
            return known[0]
        answer = CuratedAnswer(
            id=draft.id,
            escalation=draft.escalation,
            question=draft.question,
            paraphrases=draft.paraphrases,
            sentences=draft.sentences,
            by=draft.by,
            at=self._database.clock.now(),
            expires_at=expires_at,
            state=CuratedState.ACTIVE,
        )
        curated_rows.store(connection, answer, asked_by=draft.asked_by)
        self._record(connection, AuditAction.CURATED_ADDED, answer, by=draft.by, what="added")
        return answer

    def get(self, curated: str) -> CuratedAnswer:
        with self._database.read() as connection:
            return _found(connection, curated)

    def retire(self, change: CuratedChange) -> CuratedAnswer:
        return self._change(change, "retired", lambda answer: replace(answer, state=CuratedState.RETIRED))

    def renew(self, change: CuratedChange, *, expires_at: datetime) -> CuratedAnswer:
        def renewed(answer: CuratedAnswer) -> CuratedAnswer:
            if answer.state in _FINAL:
                raise Conflict(f"the curated answer is {answer.state.value}, for good: the next reviewed answer takes its place")
            return replace(answer, state=CuratedState.ACTIVE, expires_at=expires_at)

        return self._change(change, "renewed", renewed)

    def ask_as(self, change: CuratedChange, paraphrases: Sequence[str]) -> CuratedAnswer:
        return self._change(change, "paraphrased", lambda answer: replace(answer, paraphrases=tuple(dict.fromkeys(paraphrases))))

    def judge(self, curated: str, *, right: int, wrong: int, suspend: bool) -> CuratedAnswer:
        with self._database.write() as connection:
            answer = _found(connection, curated)
            suspends = suspend and answer.state is CuratedState.ACTIVE
            state = CuratedState.SUSPENDED if suspends else answer.state
            judged = replace(answer, right=right, wrong=wrong, state=state, number=answer.number + suspends)
            if judged == answer:
                return answer
            curated_rows.replace(connection, judged)
            if suspends:
                self._record(connection, AuditAction.CURATED_CHANGED, judged, by=None, what="suspended")
            return judged

    def _change(self, change: CuratedChange, what: str, changed: Callable[[CuratedAnswer], CuratedAnswer]) -> CuratedAnswer:
        with self._database.write() as connection:
            answer = _found(connection, change.curated)
            if change.expected not in (None, answer.number):
                raise Conflict(f"the curated answer has changed since: it is {answer.state.value} and has the number {answer.number}")
            wanted = changed(answer)
            if wanted == answer:
                return answer
            wanted = replace(wanted, number=answer.number + 1)
            curated_rows.replace(connection, wanted)
            self._record(connection, AuditAction.CURATED_CHANGED, wanted, by=change.by, what=what)
            return wanted

    def _record(self, connection: Connection, action: AuditAction, answer: CuratedAnswer, *, by: str | None, what: str) -> None:
        record_change(connection, action, answer, by=by, what=what, at=self._database.now())


def record_change(connection: Connection, action: AuditAction, answer: CuratedAnswer, *, by: str | None, what: str, at: str) -> None:
    """`by` None: the service itself, because of what others did."""
    documents = tuple(dict.fromkeys(AuditedDocument(cited.document, cited.version) for cited in answer.cites))
    details: dict[str, Detail] = {"curated": answer.id, "escalation": answer.escalation, "number": answer.number}
    details["expires_at"] = stamp(answer.expires_at)
    append(connection, AuditEntry(action, by or SERVICE.subject, outcome=what, documents=documents, details=details), at=at)


def _found(connection: Connection, curated: str) -> CuratedAnswer:
    """With its row locked, where somebody is going to change it."""
    locked = select(curated_answers.c.id).where(curated_answers.c.id == curated)
    if connection.info["write"]:
        locked = locked.with_for_update()
    if connection.scalar(locked) is None:
        raise NotReadable("there is no such curated answer, or you may not read it")
    return curated_rows.load(connection, [curated])[0]
