"""Curated answers as rows, and back."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from retrieval.adapters.catalog.tables import curated_answers, curated_citations, curated_head
from retrieval.domain.answers import Verdict
from retrieval.domain.clock import stamp, unstamp
from retrieval.domain.curated import CuratedAnswer, CuratedState
from retrieval.domain.documents import Span
from retrieval.domain.escalations import CitedSpan, HeldSentence

ASKED_AT_ONCE = 500
"""Ids in one statement."""
_ANSWERS = select(curated_answers).where(curated_answers.c.id.in_(bindparam("ids", expanding=True)))
_CITATIONS = (
    select(curated_citations)
    .where(curated_citations.c.curated.in_(bindparam("ids", expanding=True)))
    .order_by(curated_citations.c.curated, curated_citations.c.ordinal)
)
_NEXT_CHANGE = update(curated_head).values(change=curated_head.c.change + 1).returning(curated_head.c.change)


def next_change(connection: Connection) -> int:
    """Take the next number of a change for this transaction. Writers queue here, so that changes commit in order."""
    return int(connection.execute(_NEXT_CHANGE).scalar_one())


def load(connection: Connection, ids: Sequence[str]) -> list[CuratedAnswer]:
    """Those that there are, in the order of their ids."""
    found: list[CuratedAnswer] = []
    for at in range(0, len(ids), ASKED_AT_ONCE):
        some = {"ids": list(ids[at : at + ASKED_AT_ONCE])}
        cites: dict[str, list[CitedSpan]] = {}
        for row in connection.execute(_CITATIONS, some):
            cites.setdefault(row.curated, []).append(_cited(row))
        found += [_answer(row, cites.get(row.id, [])) for row in connection.execute(_ANSWERS, some)]
    return sorted(found, key=lambda answer: answer.id)


def store(connection: Connection, answer: CuratedAnswer, *, asked_by: str | None) -> None:
    """A new one."""
    values = {"id": answer.id, "escalation": answer.escalation, "asked_by": asked_by, "reviewer": answer.by, "at": stamp(answer.at)}
    connection.execute(insert(curated_answers).values(**values, **_changing(answer), change=next_change(connection)))
    _store_citations(connection, answer)


def replace(connection: Connection, answer: CuratedAnswer) -> None:
    """One that is there, with other contents."""
    mine = update(curated_answers).where(curated_answers.c.id == answer.id)
    connection.execute(mine.values(**_changing(answer), change=next_change(connection)))


def replace_citations(connection: Connection, answer: CuratedAnswer) -> None:
    connection.execute(delete(curated_citations).where(curated_citations.c.curated == answer.id))
    _store_citations(connection, answer)


def _changing(answer: CuratedAnswer) -> dict[str, Any]:
    ordinals = {cited: ordinal for ordinal, cited in enumerate(answer.cites)}
    said = [
        {"text": each.text, "cites": [ordinals[cited] for cited in each.cites], "verdict": each.verdict.value, "support": each.support}
        for each in answer.sentences
    ]
    return {
        "question": answer.question,
        "paraphrases": json.dumps(list(answer.paraphrases)),
        "sentences": json.dumps(said),
        "expires_at": stamp(answer.expires_at),
        "state": answer.state.value,
        "number": answer.number,
        "said_right": answer.right,
        "said_wrong": answer.wrong,
    }


def _store_citations(connection: Connection, answer: CuratedAnswer) -> None:
    rows = [
        {
            "curated": answer.id,
            "ordinal": ordinal,
            "document": cited.document,
            "version": cited.version,
            "passage": cited.passage,
            "source": cited.source,
            "span_start": cited.span.start,
            "span_end": cited.span.end,
            "quote_hash": cited.quote_hash,
        }
        for ordinal, cited in enumerate(answer.cites)
    ]
    connection.execute(insert(curated_citations), rows)


def _cited(row: Row[Any]) -> CitedSpan:
    return CitedSpan(row.passage, row.document, row.version, row.source, Span(row.span_start, row.span_end), row.quote_hash)


def _answer(row: Row[Any], cites: Sequence[CitedSpan]) -> CuratedAnswer:
    sentences = tuple(
        HeldSentence(said["text"], tuple(cites[ordinal] for ordinal in said["cites"]), Verdict(said["verdict"]), said["support"])
        for said in json.loads(row.sentences)
    )
    return CuratedAnswer(
        id=row.id,
        escalation=row.escalation,
        question=row.question,
        paraphrases=tuple(json.loads(row.paraphrases)),
        sentences=sentences,
        by=row.reviewer,
        at=unstamp(row.at),
        expires_at=unstamp(row.expires_at),
        state=CuratedState(row.state),
        number=row.number,
        right=row.said_right,
        wrong=row.said_wrong,
    )
