"""Answers: sentences with what supports them, how sure they are, and what became of the question."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.responses.freshness import FRESHNESS_EXAMPLE, FreshnessOut, freshness_out
from api.responses.hits import SCORE_DECIMALS, CitationOut, HitOut
from api.responses.moments import AsOfOut
from retrieval.domain.answers import Answer, AnswerSentence, Confidence, Conflict, Generated, Reason

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
_QUOTED = {"text": _CITATION["quote"], "citation": _CITATION["id"], "citations": [_CITATION["id"]], "support": 0.83, "verdict": "quoted"}
ANSWER_EXAMPLE: dict[str, Any] = {
    "request_id": "5f1d7c0a9b3e4826",
    "outcome": "answered",
    "answer": _CITATION["quote"],
    "reason": "",
    "reason_code": None,
    "sentences": [_QUOTED],
    "citations": [_CITATION],
    "confidence": {"probability": 0.94, "threshold": 0.71, "model": "confidence@1"},
    "conflicts": [],
    "generated": {"by": "extractive", "prompt": None, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0},
    "curated": None,
    "escalation": None,
    "passages": None,
    "as_of": None,
    "consistency_token": _TOKEN,
    "model": "all-MiniLM-L6-v2@53aa51172d14",
    "degraded": [],
    "freshness": [FRESHNESS_EXAMPLE],
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
ReasonCode = Literal["nothing_found", "out_of_scope", "conflicting_sources", "stale", "low_confidence", "unsupported"]


class SentenceOut(BaseModel):
    """A sentence of the answer and what supports it."""

    text: str
    citation: str | None = Field(description="Id of one of `citations`; null for what is unsupported.")
    citations: list[str] = Field(description="All that support it, the best first.")
    support: float = Field(description="0 to 1: how far the quote bears on the question. Not a probability.")
    verdict: Literal["quoted", "supported", "unsupported"] = Field(
        description="`quoted`: word for word; `supported`: in other words; `unsupported`: shown only where the source's owner wants it so."
    )

    @classmethod
    def of(cls, sentence: AnswerSentence) -> "SentenceOut":
        return cls(
            text=sentence.text,
            citation=None if sentence.citation is None else sentence.citation.id,
            citations=[citation.id for citation in sentence.citations],
            support=round(sentence.support, SCORE_DECIMALS),
            verdict=sentence.verdict.value,
        )


class ConfidenceOut(BaseModel):
    """How probable it is that the answer is right."""

    probability: float = Field(description="0 to 1, calibrated on judged questions and reviewers' verdicts.")
    threshold: float = Field(
        description="The least at which it is answered, from the error that the sources' owners accept; above 1: never."
    )
    model: str = Field(description="Name and version of what told it.")

    @classmethod
    def of(cls, confidence: Confidence) -> "ConfidenceOut":
        return cls(
            probability=round(confidence.probability, SCORE_DECIMALS),
            threshold=round(confidence.threshold, SCORE_DECIMALS),
            model=confidence.model,
        )


class ConflictSideOut(BaseModel):
    """One side of a contradiction."""

    citation: str = Field(description="Id of one of `citations`.")
    modified_at: str | None = Field(description="As the source says; ISO 8601, UTC.")
    authority: int = Field(description="0 to 100, of the source, as its owner says.")


class ConflictOut(BaseModel):
    """Two documents that contradict each other on what is asked."""

    about: str = Field(description="What they differ in.")
    sides: list[ConflictSideOut] = Field(description="Two; the one with more authority first, and of equals the one modified last.")

    @classmethod
    def of(cls, conflict: Conflict) -> "ConflictOut":
        sides = zip((conflict.one, conflict.other), conflict.dates, conflict.authority, strict=True)
        return cls(
            about=conflict.about,
            sides=[ConflictSideOut(citation=side.id, modified_at=date, authority=authority) for side, date, authority in sides],
        )


class GeneratedOut(BaseModel):
    """By what the answer was worded."""

    by: str = Field(description="The model, or `extractive` for quotes.")
    prompt: str | None = Field(description="Id and version of the prompt.")
    input_tokens: int
    output_tokens: int
    cost_usd: float = Field(description="By the prices that the settings name.")

    @classmethod
    def of(cls, generated: Generated) -> "GeneratedOut":
        return cls(
            by=generated.by,
            prompt=generated.prompt,
            input_tokens=generated.usage.input_tokens,
            output_tokens=generated.usage.output_tokens,
            cost_usd=generated.cost,
        )


class AnswerResponse(BaseModel):
    """An answer whose every sentence is tied to what supports it; or an abstention or escalation with its reason."""

    request_id: str = Field(description="Also what `POST /feedback` names the answer by.")
    outcome: Literal["answered", "abstained", "escalated"]
    answer: str | None = Field(description="The sentences, joined; null unless it is answered.")
    reason: str = Field(description="Why there is no answer; empty when there is one.")
    reason_code: ReasonCode | None = Field(description="The same for programs.")
    sentences: list[SentenceOut]
    citations: list[CitationOut]
    confidence: ConfidenceOut | None = Field(description="Null where nothing was found.")
    conflicts: list[ConflictOut]
    generated: GeneratedOut
    curated: str | None = Field(description="Id of the curated answer that this is; null when it was made anew.")
    escalation: str | None = Field(description="Id of the escalation that a person works on: `GET /escalations/{id}`.")
    passages: list[HitOut] | None = Field(description="Where the answer was sought; null unless asked for.")
    as_of: AsOfOut | None = Field(description="Of when it is; null: of now.")
    consistency_token: str
    model: str = Field(description="By which the question was embedded: name and hash of its weights.")
    degraded: list[str]
    freshness: list[FreshnessOut] = Field(description="Of the sources that are cited, or whose passages are shown.")

    @classmethod
    def of(
        cls, answer: Answer, *, request_id: str, consistency_token: str, include_passages: bool, as_of: AsOfOut | None = None
    ) -> "AnswerResponse":
        shown = [citation.source for citation in answer.citations]
        shown += [hit.passage.source for hit in answer.retrieved.hits] if include_passages else []
        return cls(
            request_id=request_id,
            outcome=answer.outcome.value,
            answer=answer.text if answer.sentences else None,
            reason="" if answer.reason is None else MESSAGES[answer.reason],
            reason_code=None if answer.reason is None else answer.reason.value,
            sentences=[SentenceOut.of(sentence) for sentence in answer.sentences],
            citations=[CitationOut.of(citation) for citation in answer.citations],
            confidence=None if answer.confidence is None else ConfidenceOut.of(answer.confidence),
            conflicts=[ConflictOut.of(conflict) for conflict in answer.conflicts],
            generated=GeneratedOut.of(answer.generated),
            curated=answer.curated,
            escalation=answer.escalation,
            passages=[HitOut.of(hit) for hit in answer.retrieved.hits] if include_passages else None,
            as_of=as_of,
            consistency_token=consistency_token,
            model=answer.retrieved.model,
            degraded=list(answer.retrieved.degraded),
            freshness=freshness_out(answer.retrieved.freshness, shown),
        )


class SentenceEvent(BaseModel):
    """One sentence of an answer that is being worded, with its citations."""

    sentence: SentenceOut
    citations: list[CitationOut]

    @classmethod
    def of(cls, sentence: AnswerSentence) -> "SentenceEvent":
        return cls(sentence=SentenceOut.of(sentence), citations=[CitationOut.of(citation) for citation in sentence.citations])
