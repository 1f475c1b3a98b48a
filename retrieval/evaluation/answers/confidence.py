"""How sure the product is of its answers, beside how right they are, on questions that nothing was learned from.

Of each collection, and of `all`, with what has an answer asked a second time of somebody who may not read it:

- `answerable_auroc`: does it tell questions with an answer from questions without; `as_collected`: without those asked a second time
- `right_auroc`: does it tell right answers from all others
- `ece`: expected calibration error, 15 bins of equal mass; `ece_by_chance`: of told probabilities that were exactly true, by drawing
- `ece_calibrated`: after the correction that the collection's own tuning half gives, as `archivist calibrate` learns it
- `aurc`: area under risk and coverage; `aurc_best_signal`: of the best of the signals alone, chosen in hindsight
- `conformal_error@5`, `@10`: share of all questions that are answered wrongly, with the threshold that conformal risk control sets for 5 or
  10 % from the tuning half (Angelopoulos et al., "Conformal Risk Control", ICLR 2024); `conformal_given`: the share that is answered
- `error@25`, `given@25`: share of wrong ones among the answers given, and the share given, with the threshold of the product
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.domain.risk import STEPS, RiskCurve, threshold
from retrieval.evaluation.answers.asked_answers import COLLECTIONS, AskedAnswer, ask_for_reporting
from retrieval.evaluation.calibrating import apply
from retrieval.evaluation.reliability import (
    Booleans,
    Floats,
    area_under_risks,
    calibration_error,
    calibration_error_by_chance,
    given,
    separation,
)
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.models import Embedder
from retrieval.settings import Settings
from retrieval.steps.confidence_model import ConfidenceModel

ALL = "all"
CONFORMAL = (0.05, 0.10)
SHIPPED_ERRORS = (0.15, 0.20, 0.25)
CERTAINTY = 0.95


@dataclass(frozen=True)
class Reported:
    """One collection's answers and what was told of them.

    Attributes:
        told, right: shape (answers,).
        calibrated: `told` after the collection's own correction.
        figures: by measure.
    """

    answers: Sequence[AskedAnswer]
    told: Floats
    right: Booleans
    calibrated: Floats
    figures: Mapping[str, float]


def measure_confidence(
    settings: Settings, embedder: Embedder, cache: VectorCache, directory: Path, model: ConfidenceModel
) -> Mapping[str, Reported]:
    """By collection, and `all`. Raises FileNotFoundError when a collection of `directory` is not there."""
    return reported([answer for name in COLLECTIONS for answer in ask_for_reporting(settings, embedder, cache, directory / name)], model)


def reported(asked: Sequence[AskedAnswer], model: ConfidenceModel) -> Mapping[str, Reported]:
    """The same of answers that are known."""
    found = {}
    for name in (ALL, *COLLECTIONS):
        answers = [answer for answer in asked if name in (ALL, answer.collection)]
        if answers:
            found[name] = _reported(answers, model, name)
    return found


def _reported(answers: Sequence[AskedAnswer], model: ConfidenceModel, name: str) -> Reported:
    told = np.array([model.probability(answer.signals) for answer in answers])
    right = np.array([answer.is_right for answer in answers])
    answerable = np.array([answer.answerable for answer in answers])
    collected = np.array([not answer.withheld for answer in answers])
    tuning = model.tuning[name]
    calibrated = apply(tuning.knots, told)
    signals = _by_signal(answers, told, right)
    best = min(signals, key=lambda signal: signals[signal])
    figures = {
        "asked": float(len(answers)),
        "answerable": float(answerable.mean()),
        "right_of_answerable": float(right[answerable].mean()),
        "answerable_auroc": separation(told, answerable),
        "answerable_auroc_as_collected": separation(told[collected], answerable[collected]),
        "right_auroc": separation(told, right),
        "ece": calibration_error(told, right),
        "ece_as_collected": calibration_error(told[collected], right[collected]),
        "ece_by_chance": calibration_error_by_chance(told),
        "ece_calibrated": calibration_error(calibrated, right),
        "aurc": area_under_risks(told, right),
        "aurc_best_signal": signals[best],
    }
    for error in CONFORMAL:
        least = conformal_threshold(tuning.curve, error)
        chosen = told >= least
        figures |= {f"conformal_error@{error:.0%}": float((chosen & ~right).mean()), f"conformal_given@{error:.0%}": float(chosen.mean())}
    for error in SHIPPED_ERRORS:
        share, wrong = given(told, right, threshold(model.by_tokens.curve, error, CERTAINTY))
        figures |= {f"error@{error:.0%}": wrong, f"given@{error:.0%}": share}
    return Reported(answers, told, right, calibrated, {measure.replace("%", ""): value for measure, value in figures.items()})


def conformal_threshold(curve: RiskCurve, error: float) -> float:
    """The least threshold at which so small a share of all questions is answered wrongly, with one more wrong one than was seen."""
    allowed = error * (curve.answers + 1) - 1
    return min((at / STEPS for at in range(STEPS + 1) if curve.wrong[at] <= allowed), default=1.01)


def _by_signal(answers: Sequence[AskedAnswer], told: Floats, right: Booleans) -> Mapping[str, float]:
    names = sorted(set().union(*(answer.signals for answer in answers)) - {"conflicts", "length"})
    return {name: area_under_risks(np.array([answer.signals.get(name, -1.0) for answer in answers]), right) for name in names}
