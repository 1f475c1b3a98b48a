"""Learning from verdicts how the shipped confidence errs here, and showing on verdicts that were held out what that is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from retrieval.domain.calibration import Calibration, JudgedAnswer, VerdictOrigin
from retrieval.domain.errors import InvalidInput
from retrieval.domain.risk import RiskCurve
from retrieval.evaluation.calibrating import apply, correction
from retrieval.evaluation.reliability import BINS, Booleans, Floats, area_under_risks, bins, calibration_error, folds, risks, separation
from retrieval.evaluation.reliability_page import Section, render
from retrieval.steps.confidence_model import ConfidenceModel

FOLDS = 5
LEAST_OF_EACH = 10
"""Right answers and wrong ones, without which there is nothing to tell apart."""
BEFORE, AFTER = "as shipped", "after calibration"
_ANSWERS_IN_A_BIN = 10
_LIMITS = (
    "The verdicts are of answers that people looked at, which are not all answers: those that nobody doubted are missing.",
    "What is said of the time after is that of the time before, as long as documents and questions stay alike.",
)


@dataclass(frozen=True)
class Learned:
    """A calibration that is not kept yet.

    Attributes:
        before, after: shape (answers,), what was told of each; `after` by corrections that had not seen it.
        right: shape (answers,).
    """

    calibration: Calibration
    before: Floats
    after: Floats
    right: Booleans

    @property
    def figures(self) -> Mapping[str, Mapping[str, float]]:
        """Measure to its value before and after, of verdicts that were held out."""
        return {BEFORE: measures(self.before, self.right), AFTER: measures(self.after, self.right)}

    def page(self) -> str:
        """Reliability diagram and risk-coverage curves."""
        told = {BEFORE: self.before, AFTER: self.after}
        count = bin_count(len(self.right))
        figures = {f"{name}, {when}": value for when, values in self.figures.items() for name, value in values.items()}
        section = Section(
            f"{len(self.right)} answers",
            figures,
            {name: bins(one, self.right, count) for name, one in told.items()},
            {name: risks(one, self.right) for name, one in told.items()},
            AFTER,
        )
        says = "Verdicts of people, each told by a calibration that had not seen it. On the diagonal, what was told came true."
        return render([section], title="Calibration", says=says, where={"model": self.calibration.model})


def learn(verdicts: Sequence[JudgedAnswer], model: ConfidenceModel, *, least: int, at: datetime, by: str) -> Learned:
    """A calibration from all verdicts.

    Args:
        verdicts: of which one counts for each answer: a reviewer's rather than its asker's, then the latest.
        model: the shipped one.
        least: answers with a verdict, without which nothing is learned.
        at: when.
        by: subject of who asked for it.

    Raises:
        InvalidInput: too few verdicts, or too few of right or of wrong answers.
    """
    counted = [verdict for verdict in _one_each(verdicts) if verdict.signals]
    right = np.array([verdict.is_right for verdict in counted], dtype=bool)
    if len(counted) < least:
        raise InvalidInput.of("verdicts", f"there are {len(counted)} answers with one", limit=f"at least {least}")
    if min(right.sum(), (~right).sum()) < LEAST_OF_EACH:
        raise InvalidInput.of(
            "verdicts", "nearly all say the same", limit=f"at least {LEAST_OF_EACH} right and {LEAST_OF_EACH} wrong answers"
        )
    told = np.array([model.probability(verdict.signals) for verdict in counted])
    fold = folds([verdict.about for verdict in counted], FOLDS)
    after = np.zeros(len(told))
    for number in range(FOLDS):
        after[fold == number] = apply(correction(told[fold != number], right[fold != number]), told[fold == number])
    card = _card(counted, measures(told, right), measures(after, right))
    calibration = Calibration(0, model.name, correction(told, right), _curves(counted, after), card, at, by)
    return Learned(calibration, told, after, right)


def measures(told: Floats, right: Booleans) -> dict[str, float]:
    return {
        "ece": calibration_error(told, right, bin_count(len(told))),
        "auroc": separation(told, right),
        "aurc": area_under_risks(told, right),
    }


def bin_count(answers: int) -> int:
    """Fewer than usual where a bin would hold but a few."""
    return max(min(BINS, answers // _ANSWERS_IN_A_BIN), 2)


def _one_each(verdicts: Sequence[JudgedAnswer]) -> list[JudgedAnswer]:
    order = sorted(verdicts, key=lambda verdict: (verdict.origin is VerdictOrigin.REVIEW, verdict.at, verdict.by))
    return sorted({verdict.about: verdict for verdict in order}.values(), key=lambda verdict: verdict.about)


def _curves(verdicts: Sequence[JudgedAnswer], told: Floats) -> dict[str, RiskCurve]:
    """Of each tier, and of each source whose answers stand on nothing else."""
    groups: dict[str, list[tuple[float, bool]]] = {}
    for verdict, one in zip(verdicts, told.tolist(), strict=True):
        groups.setdefault(f"tier:{verdict.risk_tier}", []).append((one, verdict.is_right))
        if len(verdict.sources) == 1:
            groups.setdefault(f"source:{verdict.sources[0]}", []).append((one, verdict.is_right))
    return {group: RiskCurve.of(points) for group, points in sorted(groups.items())}


def _card(verdicts: Sequence[JudgedAnswer], before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, object]:
    return {
        "answers": len(verdicts),
        "right": sum(verdict.is_right for verdict in verdicts),
        "reviewed": sum(verdict.origin is VerdictOrigin.REVIEW for verdict in verdicts),
        "since": min(verdict.at for verdict in verdicts).date().isoformat(),
        "until": max(verdict.at for verdict in verdicts).date().isoformat(),
        "held_out_folds": FOLDS,
        BEFORE: {name: round(value, 4) for name, value in before.items()},
        AFTER: {name: round(value, 4) for name, value in after.items()},
        "limits": list(_LIMITS),
    }
