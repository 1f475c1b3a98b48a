"""What the catalog derived from documents, or keeps of questions about them, and an erasure takes with them."""

import json
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection, delete, select, update

from retrieval.adapters.catalog.audit.secrecy import AuditKeys
from retrieval.adapters.catalog.escalations.rows import EscalationSecrets, escalations_of
from retrieval.adapters.catalog.learning.curated_rows import load, next_change
from retrieval.adapters.catalog.tables import (
    access_requests,
    answers_given,
    citation_receipts,
    curated_answers,
    curated_citations,
    deliveries,
    embeddings,
    escalation_events,
    escalation_reviewers,
    escalations,
    evaluated_queries,
    feedback,
    gaps,
    verdicts,
)
from retrieval.adapters.catalog.versions.planning import portions
from retrieval.adapters.catalog.versions.searching import saying
from retrieval.domain.curated import CuratedAnswer, CuratedState
from retrieval.domain.escalations import Escalation
from retrieval.domain.ids import text_hash

_BLANK = {"question": "", "paraphrases": "[]", "sentences": "[]", "asked_by": None, "state": CuratedState.RETIRED.value}


def remove_traces(
    connection: Connection,
    documents: Sequence[str],
    versions: Sequence[str],
    words: Sequence[str],
    *,
    keys: AuditKeys,
    secrets: EscalationSecrets,
) -> dict[str, int]:
    """Remove whatever stands on the documents or says the words, and curated answers that cite the versions. Returns how many of each."""
    erased = set(documents)
    return {
        "curated answers": _curated(connection, erased | set(versions), words),
        "escalations": _escalations(connection, erased, words, secrets),
        "answers given": _answers(connection, erased, words, keys),
        "knowledge gaps": _gaps(connection, erased, words, keys),
        "evaluated questions": _evaluated(connection, erased, words),
        "access requests": _in(connection, erased, lambda some: delete(access_requests).where(access_requests.c.document.in_(some))),
        "quotes of receipts": _in(
            connection,
            erased,
            lambda some: update(citation_receipts).where(citation_receipts.c.document.in_(some)).values(quote_hash="", content_hash=""),
        ),
    }


def _curated(connection: Connection, erased: set[str], words: Sequence[str]) -> int:
    """Whoever keeps curated answers in memory hears of changes only, so that a row stays, with nothing in it."""
    answers = load(connection, connection.scalars(select(curated_answers.c.id)).all())
    gone = [answer for answer in answers if any({cited.document, cited.version} & erased for cited in answer.cites) or _says(answer, words)]
    for answer in gone:
        connection.execute(delete(curated_citations).where(curated_citations.c.curated == answer.id))
        blank = _BLANK | {"number": answer.number + 1, "change": next_change(connection)}
        connection.execute(update(curated_answers).where(curated_answers.c.id == answer.id).values(**blank))
        asked = [text_hash(question) for question in (answer.question, *answer.paraphrases)]
        connection.execute(delete(embeddings).where(embeddings.c.text_hash.in_(asked), embeddings.c.model.like("% question")))
    return len(gone)


def _says(answer: CuratedAnswer, words: Sequence[str]) -> bool:
    return saying(words, answer.question, *answer.paraphrases, *(sentence.text for sentence in answer.sentences))


def _escalations(connection: Connection, erased: set[str], words: Sequence[str], secrets: EscalationSecrets) -> int:
    gone: list[str] = []
    for some in portions(connection.scalars(select(escalations.c.id)).all()):
        rows = connection.execute(select(escalations).where(escalations.c.id.in_(some))).all()
        gone += [each.id for each in escalations_of(connection, rows, secrets) if _stands_on(each, erased) or _asks(each, words)]
    for some in portions(gone):
        connection.execute(delete(verdicts).where(verdicts.c.about.in_(some)))
        for table in (escalation_reviewers, escalation_events, deliveries):
            connection.execute(delete(table).where(table.c.escalation.in_(some)))
        connection.execute(delete(escalations).where(escalations.c.id.in_(some)))
    return len(gone)


def _stands_on(escalation: Escalation, erased: set[str]) -> bool:
    resolved = () if escalation.resolution is None else escalation.resolution.sentences
    cited = {span.document for sentence in (*escalation.draft.sentences, *resolved) for span in sentence.cites}
    return not erased.isdisjoint(cited | {place.document for place in escalation.draft.evidence})


def _asks(escalation: Escalation, words: Sequence[str]) -> bool:
    resolution = escalation.resolution
    decided = () if resolution is None else (resolution.reason, resolution.knowledge_gap, *(each.text for each in resolution.sentences))
    return saying(words, escalation.draft.question, *(each.text for each in escalation.draft.sentences), *decided)


def _answers(connection: Connection, erased: set[str], words: Sequence[str], keys: AuditKeys) -> int:
    said = select(answers_given.c.request_id, answers_given.c.citations, answers_given.c.question, feedback.c.note)
    rows = connection.execute(said.outerjoin(feedback, feedback.c.request_id == answers_given.c.request_id))
    gone = {
        row.request_id
        for row in rows
        if _names(row.citations, erased) or saying(words, *(keys.opened_query(each) or "" for each in (row.question, row.note) if each))
    }
    for some in portions(sorted(gone)):
        connection.execute(delete(verdicts).where(verdicts.c.about.in_(some)))
        connection.execute(delete(feedback).where(feedback.c.request_id.in_(some)))
        connection.execute(delete(answers_given).where(answers_given.c.request_id.in_(some)))
    return len(gone)


def _gaps(connection: Connection, erased: set[str], words: Sequence[str], keys: AuditKeys) -> int:
    rows = connection.execute(select(gaps)).all()
    gone = [
        row
        for row in rows
        if row.document in erased or saying(words, *(keys.opened_query(each) or "" for each in (row.question, row.note) if each))
    ]
    for row in gone:
        connection.execute(delete(gaps).where(gaps.c.source == row.source, gaps.c.kind == row.kind, gaps.c.about == row.about))
    return len(gone)


def _evaluated(connection: Connection, erased: set[str], words: Sequence[str]) -> int:
    rows = connection.execute(select(evaluated_queries)).all()
    gone = [row for row in rows if _names(row.found, erased) or saying(words, row.text)]
    for row in gone:
        one = (evaluated_queries.c.evaluation == row.evaluation, evaluated_queries.c.query == row.query)
        connection.execute(delete(evaluated_queries).where(*one))
    return len(gone)


def _names(listed: str, erased: set[str]) -> bool:
    """Whether a JSON value names any of the documents, at whatever depth."""
    return bool(erased) and not erased.isdisjoint(_strings(json.loads(listed)))


def _strings(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _strings([*value.keys(), *value.values()])
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def _in(connection: Connection, ids: Iterable[str], statement: Callable[[list[str]], object]) -> int:
    return sum(connection.execute(statement(some)).rowcount for some in portions(sorted(ids)))  # type: ignore[call-overload]
