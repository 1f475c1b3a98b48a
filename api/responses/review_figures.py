"""The history of one escalation, and figures over many, as reviewers see them."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from retrieval.domain.reviews import Durations, ReviewEvent, ReviewStatistics


class EventOut(BaseModel):
    """One line of a history."""

    at: str
    by: str
    what: str
    note: str

    @classmethod
    def of(cls, event: ReviewEvent) -> "EventOut":
        return cls(at=event.at, by=event.by, what=event.what, note=event.note)


class HistoryResponse(BaseModel):
    """What happened to an escalation, oldest first."""

    request_id: str
    events: list[EventOut]

    @classmethod
    def of(cls, events: Sequence[ReviewEvent], *, request_id: str) -> "HistoryResponse":
        return cls(request_id=request_id, events=[EventOut.of(event) for event in events])


class DurationsOut(BaseModel):
    """Seconds; null without any."""

    count: int
    median_seconds: float | None
    p90_seconds: float | None

    @classmethod
    def of(cls, durations: Durations) -> "DurationsOut":
        return cls(count=durations.count, median_seconds=durations.median, p90_seconds=durations.p90)


class DayOut(BaseModel):
    """Escalations opened on one day in UTC, by how they stand now."""

    day: str
    by_state: dict[str, int]


class JudgedDraftOut(BaseModel):
    """How sure the service was of a draft, and whether a person found it right."""

    confidence: float
    is_right: bool


class StatisticsResponse(BaseModel):
    """Figures over the escalations that you may see."""

    request_id: str
    since: str
    volume: list[DayOut]
    to_claim: DurationsOut
    to_decide: DurationsOut
    overdue_share: float | None = Field(description="Of pending and decided ones, those that are or were late.")
    outcomes: dict[str, int]
    by_reason: dict[str, int]
    by_source: dict[str, int]
    drafts: list[JudgedDraftOut] = Field(description="For coverage versus risk and for calibration; the surest first.")

    @classmethod
    def of(cls, figures: ReviewStatistics, *, request_id: str) -> "StatisticsResponse":
        return cls(
            request_id=request_id,
            since=figures.since,
            volume=[DayOut(day=each.day, by_state={state.value: n for state, n in each.by_state.items()}) for each in figures.volume],
            to_claim=DurationsOut.of(figures.to_claim),
            to_decide=DurationsOut.of(figures.to_decide),
            overdue_share=figures.overdue_share,
            outcomes={kind.value: count for kind, count in figures.outcomes.items()},
            by_reason={reason.value: count for reason, count in figures.by_reason.items()},
            by_source=dict(figures.by_source),
            drafts=[JudgedDraftOut(confidence=each.confidence, is_right=each.is_right) for each in figures.drafts],
        )
