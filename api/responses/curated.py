"""Curated answers as reviewers and owners see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.responses.answers import SentenceOut
from api.responses.hits import CitationOut
from retrieval.domain.curated import CuratedAnswer, CuratedState, ReadableCurated

State = Literal["active", "expired", "retired", "stale", "suspended"]


class CuratedStandingOut(BaseModel):
    """How a curated answer stands. Times are in UTC."""

    id: str
    number: int = Field(description="Counts its changes: send it as `expected` with the next one.")
    state: State
    expires_at: datetime

    @classmethod
    def standing(cls, answer: CuratedAnswer, now: datetime) -> dict[str, object]:
        return {"id": answer.id, "number": answer.number, "state": answer.state_at(now).value, "expires_at": answer.expires_at}


class CuratedOut(CuratedStandingOut):
    """A curated answer whose every cited document you may read."""

    escalation: str
    question: str
    paraphrases: list[str]
    sentences: list[SentenceOut] = Field(description="Empty where a quote is not in the current version of its document any more.")
    citations: list[CitationOut]
    reviewer: str
    at: datetime
    said_right: int = Field(description="People who found it helpful.")
    said_wrong: int

    @classmethod
    def of(cls, shown: ReadableCurated, now: datetime) -> "CuratedOut":
        answer = shown.answer
        citations = {citation.id: citation for sentence in shown.sentences for citation in sentence.citations}
        return cls.model_validate(
            {
                **cls.standing(answer, now),
                "escalation": answer.escalation,
                "question": answer.question,
                "paraphrases": list(answer.paraphrases),
                "sentences": [SentenceOut.of(sentence) for sentence in shown.sentences],
                "citations": [CitationOut.of(citation) for citation in citations.values()],
                "reviewer": answer.by,
                "at": answer.at,
                "said_right": answer.right,
                "said_wrong": answer.wrong,
            }
        )


class CuratedListResponse(BaseModel):
    """A page of curated answers, in the order of their ids."""

    request_id: str
    curated: list[CuratedOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")

    @classmethod
    def of(cls, shown: Sequence[ReadableCurated], now: datetime, *, request_id: str, next_cursor: str | None) -> "CuratedListResponse":
        return cls(request_id=request_id, curated=[CuratedOut.of(each, now) for each in shown], next_cursor=next_cursor)


class CuratedChangedResponse(CuratedStandingOut):
    """How it stands after the change."""

    request_id: str

    @classmethod
    def of(cls, answer: CuratedAnswer, now: datetime, *, request_id: str) -> "CuratedChangedResponse":
        return cls.model_validate({**cls.standing(answer, now), "request_id": request_id})


def state_named(name: str | None) -> CuratedState | None:
    return None if name is None else CuratedState(name)
