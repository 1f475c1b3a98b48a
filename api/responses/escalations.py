"""What became of a question that was handed to a person, as its asker sees it."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from api.responses.answers import ReasonCode, SentenceOut
from api.responses.hits import CitationOut
from retrieval.domain.reviews import EscalationView

State = Literal["open", "claimed", "answered", "rejected", "expired", "withdrawn"]


class EscalationOut(BaseModel):
    """A question that a person looks at, or has looked at. Times are ISO 8601 in UTC."""

    id: str
    query: str
    state: State = Field(
        description="`open` and `claimed`: somebody will look at it, or does. `answered`: see `sentences`. `rejected`: there is no answer "
        "that you may read. `expired`: nobody came to it in time. `withdrawn`: you took it back."
    )
    reason_codes: list[ReasonCode] = Field(description="Why a person was asked.")
    opened_at: str
    due_at: str = Field(description="Until when a person should have decided.")
    expires_at: str
    closed_at: str | None

    @classmethod
    def of(cls, view: EscalationView) -> "EscalationOut":
        return cls(
            id=view.id,
            query=view.question,
            state=view.state.value,
            reason_codes=[reason.value for reason in view.reasons],
            opened_at=view.opened_at,
            due_at=view.due_at,
            expires_at=view.expires_at,
            closed_at=view.closed_at,
        )


class EscalationResponse(BaseModel):
    """One question with its answer, when there is one and you may read everything that it stands on."""

    request_id: str
    escalation: EscalationOut
    answer: str | None = Field(description="The sentences, joined; null unless it is answered.")
    sentences: list[SentenceOut] = Field(description="One without a citation is what the person knows and no document says.")
    citations: list[CitationOut]

    @classmethod
    def of(cls, view: EscalationView, *, request_id: str) -> "EscalationResponse":
        return cls(
            request_id=request_id,
            escalation=EscalationOut.of(view),
            answer=" ".join(sentence.text for sentence in view.sentences) or None,
            sentences=[SentenceOut.of(sentence) for sentence in view.sentences],
            citations=[CitationOut.of(citation) for citation in view.citations],
        )


class EscalationListResponse(BaseModel):
    """A page of your questions, newest first, without their answers."""

    request_id: str
    escalations: list[EscalationOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")

    @classmethod
    def of(cls, views: Sequence[EscalationView], *, request_id: str, next_cursor: str | None) -> "EscalationListResponse":
        return cls(request_id=request_id, escalations=[EscalationOut.of(view) for view in views], next_cursor=next_cursor)
