"""Figures over escalations, for the reviewers who may see them."""

from collections import Counter
from collections.abc import Sequence

from retrieval.domain.clock import unstamp
from retrieval.domain.escalation_rules import was_right
from retrieval.domain.escalations import Escalation, EscalationState
from retrieval.domain.reviews import DayVolume, Durations, JudgedDraft, ReviewStatistics

_DECIDED = (EscalationState.ANSWERED, EscalationState.REJECTED)


def review_statistics(escalations: Sequence[Escalation], *, since: str, now: str) -> ReviewStatistics:
    """Seconds are from being opened to being claimed for the first time, or decided. Late: decided, or still pending, after it was due."""
    decided = [each for each in escalations if each.state in _DECIDED]
    judged = [each for each in escalations if each.state.is_pending or each in decided]
    late = sum((each.closed_at or now) > each.due_at for each in judged)
    return ReviewStatistics(
        since,
        _volume(escalations),
        to_claim=Durations.of([_seconds(each, each.claimed_at) for each in escalations if each.claimed_at]),
        to_decide=Durations.of([_seconds(each, each.closed_at) for each in decided if each.closed_at]),
        overdue_share=late / len(judged) if judged else None,
        outcomes=Counter(each.resolution.kind for each in decided if each.resolution),
        by_reason=Counter(reason for each in escalations for reason in each.draft.reasons),
        by_source=Counter(each.source for each in escalations if each.source),
        drafts=_drafts(decided),
    )


def _volume(escalations: Sequence[Escalation]) -> tuple[DayVolume, ...]:
    days: dict[str, Counter[EscalationState]] = {}
    for each in escalations:
        days.setdefault(each.created_at[:10], Counter())[each.state] += 1
    return tuple(DayVolume(day, days[day]) for day in sorted(days))


def _drafts(decided: Sequence[Escalation]) -> tuple[JudgedDraft, ...]:
    judged = [
        JudgedDraft(each.draft.confidence.probability, is_right)
        for each in decided
        if each.draft.confidence is not None
        and each.resolution is not None
        and (is_right := was_right(each.draft, each.resolution)) is not None
    ]
    return tuple(sorted(judged, key=lambda draft: (-draft.confidence, draft.is_right)))


def _seconds(escalation: Escalation, until: str | None) -> float:
    assert until is not None
    return (unstamp(until) - unstamp(escalation.created_at)).total_seconds()
