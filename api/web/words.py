"""What pages say of numbers, dates and states, in words."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from api.responses.answers import MESSAGES
from retrieval.domain.answers import Confidence, Reason, Verdict
from retrieval.domain.escalations import EscalationState

_SURENESS = ((0.95, "almost certainly right"), (0.85, "very likely right"), (0.7, "likely right"), (0.5, "rather right than wrong"))
_VERDICTS = {
    Verdict.QUOTED: "quoted word for word",
    Verdict.SUPPORTED: "in other words than the source",
    Verdict.UNSUPPORTED: "nothing that was found supports this",
}
_WHY = {
    Reason.NOTHING_FOUND: "Nothing was found that bears on the question.",
    Reason.OUT_OF_SCOPE: "What was found is not about what is asked.",
    Reason.CONFLICTING_SOURCES: "What was found contradicts itself.",
    Reason.STALE: "What was found is older than its owner lets be relied on.",
    Reason.LOW_CONFIDENCE: "The answer would be wrong more often than its sources' owners accept.",
    Reason.UNSUPPORTED: "A sentence of the draft is supported by nothing that was found.",
}
_STANDING = {
    EscalationState.OPEN: "Waits for a person",
    EscalationState.CLAIMED: "A person is looking at it",
    EscalationState.ANSWERED: "Answered by a person",
    EscalationState.REJECTED: "A person found no answer",
    EscalationState.EXPIRED: "Nobody answered in time",
    EscalationState.WITHDRAWN: "Taken back",
}
_SIGNALS = {
    "dense": "nearness of the best passage",
    "dense_margin": "how much nearer it is than the next ones",
    "lexical_margin": "how many more of the question's words it has than the next ones",
    "agreement": "share of the best passages that both searches found",
    "rerank_margin": "how far the best passage leads",
    "coverage": "share of the question's telling words in the best passage",
    "evidence_coverage": "the same in the sentence quoted",
    "answer_type": "the passage holds the kind of thing that is asked for",
    "length": "length of the question",
    "support": "how far the sentence quoted bears on the question",
    "support_odds": "the same, as odds",
    "support_margin": "its lead over the next sentence",
    "support_elsewhere": "its lead over sentences of other passages",
    "evidence_rank": "how high its passage stood",
    "tokens": "meaning shared by question and sentence",
    "tokens_window": "the same in its best part",
    "tokens_lowest": "the same for the words that match least",
    "tokens_beyond_title": "the same beside what the title says",
    "tokens_margin": "its lead in that over other sentences",
    "conflicts": "contradictions found",
    "claims": "how far the sources support the wording",
}
_STEPS = ((timedelta(days=2), timedelta(days=1), "days"), (timedelta(hours=2), timedelta(hours=1), "hours"))


def sureness(confidence: Confidence) -> str:
    return next((said for least, said in _SURENESS if confidence.probability >= least), "more likely wrong than right")


def percent(share: float) -> str:
    """`0.873` is `87 %`."""
    return f"{share * 100:.0f} %"


def verdict(verdict: Verdict) -> str:
    return _VERDICTS[verdict]


def reason(reason: Reason) -> str:
    return MESSAGES[reason]


def why(reason: Reason) -> str:
    """For a reviewer: why a person is asked."""
    return _WHY[reason]


def standing(state: EscalationState) -> str:
    """For whoever asked: how their question stands."""
    return _STANDING[state]


def signal(name: str) -> str:
    """In words; a name that has none here with its underscores as spaces."""
    return _SIGNALS.get(name, name.replace("_", " "))


def stamp(moment: str) -> str:
    """`2026-03-01T09:00:00Z` is `2026-03-01 09:00`."""
    return moment[:16].replace("T", " ")


def date(moment: str | datetime | None) -> str:
    """The day of a moment, or of one in ISO 8601; empty for none."""
    if moment is None:
        return ""
    return moment[:10] if isinstance(moment, str) else f"{moment:%Y-%m-%d}"


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def duration(length: timedelta) -> str:
    """In the largest unit that makes two or more: `3 days`, `90 minutes`."""
    for least, unit, name in _STEPS:
        if length >= least:
            return f"{length // unit} {name}"
    minutes = length // timedelta(minutes=1)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def seconds(length: float | None) -> str:
    """In words; `none yet` for None."""
    return "none yet" if length is None else duration(timedelta(seconds=length))


FILTERS: Mapping[str, Callable[..., str]] = {
    "sureness": sureness,
    "percent": percent,
    "verdict": verdict,
    "reason": reason,
    "why": why,
    "standing": standing,
    "signal": signal,
    "stamp": stamp,
    "date": date,
    "moment": moment,
    "duration": duration,
    "seconds": seconds,
}
