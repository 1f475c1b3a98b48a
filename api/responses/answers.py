"""Answers and the quotes that they are made of."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.responses.hits import SCORE_DECIMALS, CitationOut, HitOut
from retrieval.domain.answers import Answer, AnswerSentence, Reason

_CITATION: dict[str, Any] = {
    "id": "cit_8f0c2a41d07be913a5c6f2de",
    "document": "doc_kq4z7v2m5x3c6b2n7d4f5g6h",
    "version": "ver_m2n3b4v5c6x7z2a3s4d5f6g7",
    "version_number": 2,
    "source": "handbook",
    "title": "Working from abroad",
    "uri": "handbook/working-from-abroad.docx",
    "page": None,
    "heading_path": ["Working from abroad", "How long"],
    "passage": "5b0e4d1c-7a33-8c1f-9e55-0f6a2b7c8d9e",
    "span": {"start": 1204, "end": 1291},
    "quote": "Everybody may work from another country of the EU for up to 30 days in a calendar year.",
}
_TOKEN = "mP0hJq3k9Zb1xW7uYc2sVt5rAe8dFg4iLo6nQpRjKlMzXvBy"  # noqa: S105 - an example
ANSWER_EXAMPLE: dict[str, Any] = {
    "request_id": "5f1d7c0a9b3e4826",
    "outcome": "answered",
    "answer": _CITATION["quote"],
    "reason": "",
    "sentences": [{"text": _CITATION["quote"], "citation": _CITATION["id"], "support": 0.83}],
    "citations": [_CITATION],
    "confidence": None,
    "escalation": None,
    "passages": None,
    "as_of": None,
    "consistency_token": _TOKEN,
    "degraded": [],
}


MESSAGES = {
    Reason.NOTHING_FOUND: "No passage that you may read answers this question.",
    Reason.OUT_OF_SCOPE: "Nothing that you may read is about this question.",
    Reason.CONFLICTING_SOURCES: "What you may read contradicts itself on this question.",
    Reason.STALE: "What you may read on this question is too old to be relied on.",
    Reason.LOW_CONFIDENCE: "What you may read does not answer this question surely enough.",
    Reason.UNSUPPORTED: "What you may read does not support an answer to this question.",
}
"""Nothing in them tells whether anything is hidden."""


class SentenceOut(BaseModel):
    """A sentence of the answer, quoted verbatim."""

    text: str
    citation: str | None = Field(description="Id of one of `citations`.")
    support: float = Field(description="0 to 1: how far the quote bears on the question. Not a probability.")

    @classmethod
    def of(cls, sentence: AnswerSentence) -> "SentenceOut":
        return cls(
            text=sentence.text,
            citation=sentence.citation.id if sentence.citation is not None else None,
            support=round(sentence.support, SCORE_DECIMALS),
        )


class AnswerResponse(BaseModel):
    """An answer made only of quotes, or an abstention with its reason."""

    request_id: str
    outcome: Literal["answered", "abstained", "escalated"]
    answer: str | None = Field(description="The sentences, joined; null for an abstention.")
    reason: str = Field(description="Why there is no answer; empty when there is one.")
    sentences: list[SentenceOut]
    citations: list[CitationOut]
    confidence: None = None
    escalation: None = None
    passages: list[HitOut] | None = Field(description="Where the answer was sought; null unless asked for.")
    as_of: str | None
    consistency_token: str
    degraded: list[str]

    @classmethod
    def of(cls, answer: Answer, *, request_id: str, consistency_token: str, include_passages: bool) -> "AnswerResponse":
        return cls(
            request_id=request_id,
            outcome=answer.outcome.value,
            answer=answer.text if answer.sentences else None,
            reason="" if answer.reason is None else MESSAGES[answer.reason],
            sentences=[SentenceOut.of(sentence) for sentence in answer.sentences],
            citations=[CitationOut.of(citation) for citation in answer.citations],
            passages=[HitOut.of(hit) for hit in answer.retrieved.hits] if include_passages else None,
            as_of=None,
            consistency_token=consistency_token,
            degraded=list(answer.retrieved.degraded),
        )
