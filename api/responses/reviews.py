"""Escalations as reviewers see them. What the asker or the reviewer may not read is not in them."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, Field

from api.responses.answers import ConfidenceOut, GeneratedOut, ReasonCode, SentenceOut
from api.responses.escalations import State
from api.responses.hits import SCORE_DECIMALS, CitationOut, PassageOut, SpanOut
from retrieval.domain.answers import AnswerSentence, Citation
from retrieval.domain.reviews import QueueEntry, ReviewEvidence, ReviewItem, ShownResolution


class ReviewOut(BaseModel):
    """An escalation as a list shows it. Times are ISO 8601 in UTC."""

    id: str
    version: int = Field(description="Name it as `expected` in whatever you do with it.")
    query: str
    state: State
    priority: Literal["low", "standard", "high"]
    reason_codes: list[ReasonCode]
    asker: str
    source: str = Field(description="Whose reviewers it was routed to; empty: all reviewers.")
    skill: str
    reviewers: list[str]
    opened_at: str
    due_at: str
    expires_at: str
    is_overdue: bool
    claimed_by: str | None = Field(description="Who works on it, or decided it.")
    lease_until: str | None
    closed_at: str | None
    delivery: Literal["waiting", "delivered", "withheld"] | None = Field(
        description="`withheld`: the answer stands on what its asker may not read, so they are not told of it."
    )

    @classmethod
    def of(cls, entry: QueueEntry) -> "ReviewOut":
        return cls(
            id=entry.id,
            version=entry.version,
            query=entry.question,
            state=entry.state.value,
            priority=entry.priority.value,
            reason_codes=[reason.value for reason in entry.reasons],
            asker=entry.asker,
            source=entry.source,
            skill=entry.skill,
            reviewers=list(entry.reviewers),
            opened_at=entry.opened_at,
            due_at=entry.due_at,
            expires_at=entry.expires_at,
            is_overdue=entry.is_overdue,
            claimed_by=entry.claimed_by,
            lease_until=entry.lease_until,
            closed_at=entry.closed_at,
            delivery=None if entry.delivery is None else entry.delivery.value,
        )


class ReviewListResponse(BaseModel):
    """A page of what you may review, by the time it is due."""

    request_id: str
    reviews: list[ReviewOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")

    @classmethod
    def of(cls, entries: Sequence[QueueEntry], *, request_id: str, next_cursor: str | None) -> "ReviewListResponse":
        return cls(request_id=request_id, reviews=[ReviewOut.of(entry) for entry in entries], next_cursor=next_cursor)


class ReviewedResponse(BaseModel):
    """How an escalation stands after what you did."""

    request_id: str
    review: ReviewOut

    @classmethod
    def of(cls, entry: QueueEntry, *, request_id: str) -> "ReviewedResponse":
        return cls(request_id=request_id, review=ReviewOut.of(entry))


class EvidenceOut(BaseModel):
    """A passage that its asker and you both may read."""

    rank: int
    passage: PassageOut
    citation: CitationOut
    scores: Mapping[str, float] = Field(description="What each leg gave it, and `fused`. Comparable within one leg only.")
    cited: list[SpanOut] = Field(description="What the draft quotes of it, in the passage's own text.")

    @classmethod
    def of(cls, evidence: ReviewEvidence) -> "EvidenceOut":
        return cls(
            rank=evidence.rank,
            passage=PassageOut.of(evidence.passage),
            citation=CitationOut.of(evidence.citation),
            scores={name: round(score, SCORE_DECIMALS) for name, score in evidence.scores.items()},
            cited=[SpanOut.of(span) for span in evidence.cited],
        )


class ResolutionOut(BaseModel):
    """What was decided."""

    kind: Literal["approved", "amended", "own_knowledge", "rejected"]
    sentences: list[SentenceOut]
    by: str
    at: str
    reason: str
    knowledge_gap: str
    is_curated: bool
    is_withheld: bool = Field(description="Sentences that stand on what you may not read are missing.")

    @classmethod
    def of(cls, resolution: ShownResolution) -> "ResolutionOut":
        return cls(
            kind=resolution.kind.value,
            sentences=[SentenceOut.of(sentence) for sentence in resolution.sentences],
            by=resolution.by,
            at=resolution.at,
            reason=resolution.reason,
            knowledge_gap=resolution.knowledge_gap,
            is_curated=resolution.is_curated,
            is_withheld=resolution.is_withheld,
        )


class ReviewResponse(BaseModel):
    """One escalation with its evidence and its draft."""

    request_id: str
    review: ReviewOut
    sources: list[str] = Field(description="Of the evidence that you see.")
    evidence: list[EvidenceOut]
    draft: list[SentenceOut] = Field(description="What the service would have answered.")
    citations: list[CitationOut] = Field(description="Of the draft and of the resolution.")
    is_withheld: bool = Field(description="There is evidence that you do not see. Then the confidence, too, is not told.")
    confidence: ConfidenceOut | None
    signals: Mapping[str, float] = Field(description="What the confidence was told from.")
    generated: GeneratedOut | None
    may_decide: bool = Field(description="You hold the claim now.")
    resolution: ResolutionOut | None

    @classmethod
    def of(cls, item: ReviewItem, *, request_id: str) -> "ReviewResponse":
        sentences = (*item.draft, *(item.resolution.sentences if item.resolution is not None else ()))
        signals = {} if item.confidence is None else item.confidence.signals
        return cls(
            request_id=request_id,
            review=ReviewOut.of(item.entry),
            sources=list(item.sources),
            evidence=[EvidenceOut.of(each) for each in item.evidence],
            draft=[SentenceOut.of(sentence) for sentence in item.draft],
            citations=[CitationOut.of(citation) for citation in _citations(sentences)],
            is_withheld=item.is_withheld,
            confidence=None if item.confidence is None else ConfidenceOut.of(item.confidence),
            signals={name: round(value, SCORE_DECIMALS) for name, value in signals.items()},
            generated=None if item.generated is None else GeneratedOut.of(item.generated),
            may_decide=item.may_decide,
            resolution=None if item.resolution is None else ResolutionOut.of(item.resolution),
        )


def _citations(sentences: Sequence[AnswerSentence]) -> Sequence[Citation]:
    return list({citation.id: citation for sentence in sentences for citation in sentence.citations}.values())
