"""Whether an answer is sure enough for the owners of what it stands on: its probability beside the strictest of their thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

from retrieval.domain.answers import Confidence
from retrieval.domain.calibration import Calibration
from retrieval.domain.risk import NEVER, RiskCurve, threshold
from retrieval.ports.calibration import CalibrationReader
from retrieval.steps.confidence_model import ConfidenceModel

SHIPPED = "shipped"
NOTHING = "nothing"
_CONFIDENCE_DECIMALS = 4


class ErrorPolicy(Protocol):
    """What an answer policy says of confidence."""

    @property
    def source(self) -> str: ...

    @property
    def risk_tier(self) -> str: ...

    @property
    def accepted_error(self) -> float | None:
        """Greatest share of wrong answers; None: the service's for the tier."""


@dataclass(frozen=True)
class Threshold:
    """The least confidence, and which verdicts it was set from: `source:<id>`, `tier:<name>`, `shipped`, or `nothing`.

    What stands on no source is never given.
    """

    value: float
    by: str


@dataclass(frozen=True)
class Confidences:
    """Tells how sure an answer is, by the shipped model and the calibration in force.

    Attributes:
        accepted_errors: risk tier to greatest share of wrong answers, where an owner says nothing else.
        certainty: with which the accepted error is not exceeded.
        least_verdicts: of a source or tier, for thresholds of its own.
    """

    model: ConfidenceModel
    calibrations: CalibrationReader
    accepted_errors: Mapping[str, float]
    certainty: float
    least_verdicts: int

    def judge(self, signals: Mapping[str, float], policies: Sequence[ErrorPolicy]) -> Confidence:
        """The probability that the answer is right, and the strictest threshold of the policies of the sources that it stands on.

        Raises:
            CatalogUnavailable: the calibration in force cannot be read.
        """
        calibration = self._in_force()
        told = self.model.probability(signals)
        probability = told if calibration is None else corrected(calibration.knots, told)
        shipped_curve = self.model.weighing(signals).curve
        thresholds = [self._threshold(policy, calibration, shipped_curve) for policy in policies]
        strictest = max(thresholds, key=lambda one: one.value, default=Threshold(NEVER, NOTHING))
        name = self.model.name if calibration is None else f"{self.model.name} calibration {calibration.version}"
        return Confidence(
            round(probability, _CONFIDENCE_DECIMALS), round(strictest.value, _CONFIDENCE_DECIMALS), f"{name} {strictest.by}", signals
        )

    def _in_force(self) -> Calibration | None:
        """A calibration of another model says nothing of this one."""
        calibration = self.calibrations.active()
        return calibration if calibration is not None and calibration.model == self.model.name else None

    def _threshold(self, policy: ErrorPolicy, calibration: Calibration | None, shipped_curve: RiskCurve) -> Threshold:
        """By the source's own verdicts, else its tier's, else by what the model was shipped with."""
        error = self.accepted_errors[policy.risk_tier] if policy.accepted_error is None else policy.accepted_error
        if calibration is None:
            return Threshold(_threshold(shipped_curve, error, self.certainty), SHIPPED)
        for group in (f"source:{policy.source}", f"tier:{policy.risk_tier}"):
            curve = calibration.curves.get(group)
            if curve is not None and curve.answers >= self.least_verdicts:
                return Threshold(_threshold(curve, error, self.certainty), group)
        shipped = _threshold(shipped_curve, error, self.certainty)
        return Threshold(shipped if shipped >= NEVER else corrected(calibration.knots, shipped), SHIPPED)


def corrected(knots: Sequence[tuple[float, float]], told: float) -> float:
    """What a calibration makes of a probability: linear between its knots, level outside of them."""
    if told <= knots[0][0]:
        return knots[0][1]
    for (left, low), (right, high) in pairwise(knots):
        if told <= right:
            return low + (high - low) * (told - left) / (right - left)
    return knots[-1][1]


_threshold = lru_cache(maxsize=1024)(threshold)
"""A few curves and errors are asked for again and again."""
