"""What pages say of numbers, dates and states, in words."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from api.responses.answers import MESSAGES
from retrieval.domain.answers import Confidence, Reason, Verdict

_SURENESS = ((0.95, "almost certainly right"), (0.85, "very likely right"), (0.7, "likely right"), (0.5, "rather right than wrong"))
_VERDICTS = {
    Verdict.QUOTED: "quoted word for word",
    Verdict.SUPPORTED: "in other words than the source",
    Verdict.UNSUPPORTED: "nothing that was found supports this",
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


FILTERS: Mapping[str, Callable[..., str]] = {
    "sureness": sureness,
    "percent": percent,
    "verdict": verdict,
    "reason": reason,
    "date": date,
    "moment": moment,
    "duration": duration,
}
