"""What the caller has said of an answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from retrieval.domain.feedback import Feedback

Kind = Literal["helpful", "wrong", "outdated", "citation_wrong"]


class FeedbackOut(BaseModel):
    """One thing that you said. Its note is kept encrypted, for the owner of the document, and not shown again."""

    kind: Kind
    citation: str | None = Field(description="The citation that it is about; null: the answer as a whole.")
    at: datetime


class FeedbackResponse(BaseModel):
    """All that you have said of one answer."""

    request_id: str
    answer: str = Field(description="`request_id` of the answer.")
    feedback: list[FeedbackOut]

    @classmethod
    def of(cls, said: Sequence[Feedback], *, answer: str, request_id: str) -> "FeedbackResponse":
        listed = [FeedbackOut(kind=each.kind.value, citation=each.citation, at=each.at) for each in said]
        return cls(request_id=request_id, answer=answer, feedback=listed)
