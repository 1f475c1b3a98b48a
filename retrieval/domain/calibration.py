"""Verdicts on answers, and the calibrations of confidence that are learned from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from retrieval.domain.risk import RiskCurve


class VerdictOrigin(StrEnum):
    """Who said whether an answer was right.

    Attributes:
        REVIEW: a reviewer who decided an escalation, having seen the evidence.
        FEEDBACK: whoever had asked.
    """

    REVIEW = "review"
    FEEDBACK = "feedback"


@dataclass(frozen=True)
class JudgedAnswer:
    """What one person said of one answer, with what its confidence had been told from. Holds no text.

    Attributes:
        about: id of the escalation, or request id of the answer. With `by` it is the verdict's key.
        signals: `Confidence.signals` of that answer.
        sources: of the passages that it cites.
        risk_tier: the strictest of those sources'.
        by: subject of who said so.
    """

    about: str
    by: str
    origin: VerdictOrigin
    is_right: bool
    signals: Mapping[str, float]
    sources: tuple[str, ...]
    risk_tier: str
    at: datetime


@dataclass(frozen=True)
class Calibration:
    """What verdicts have taught on top of the shipped model.

    Attributes:
        version: 1 and up, in the order they were made; 0 before it is kept.
        model: name of the shipped model whose probabilities `knots` correct. For any other model it is void.
        knots: (probability of the model, corrected probability), both ascending; between them the correction is linear.
        curves: group to how often answers of it were wrong, by corrected probability. Groups: `source:<id>`, `tier:<name>`.
        card: what it was learned from, its figures before and after, its limits.
        by: subject of who made it.
    """

    version: int
    model: str
    knots: tuple[tuple[float, float], ...]
    curves: Mapping[str, RiskCurve]
    card: Mapping[str, object]
    at: datetime
    by: str
    is_active: bool = field(default=False, compare=False)
