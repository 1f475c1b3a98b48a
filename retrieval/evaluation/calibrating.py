"""Correcting told probabilities by what people said of answers.

Platt scaling on the log-odds ("Probabilistic Outputs for Support Vector Machines", 1999): two numbers, which a hundred verdicts can carry,
and a correction that always rises, so that no two answers change places.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from retrieval.evaluation.reliability import Booleans, Floats

Knots = tuple[tuple[float, float], ...]

_GRID = np.concatenate([[0.0, 0.001, 0.003], np.linspace(0.01, 0.99, 50), [0.997, 0.999, 1.0]])
_LEAST = 1e-3
_LEAST_SLOPE = 0.05
_PENALTY = 1.0
_DIGITS = 5


def correction(told: Floats, right: Booleans) -> Knots:
    """(probability as told, as corrected), both rising. Few verdicts change little: a prior holds the correction to none at all."""
    odds = _odds(told)

    def loss(line: Floats) -> float:
        logits = line[0] + line[1] * odds
        return float(np.logaddexp(0, logits).sum() - logits[right].sum() + _PENALTY / 2 * (line[0] ** 2 + (line[1] - 1) ** 2))

    offset, slope = minimize(loss, np.array([0.0, 1.0]), bounds=[(None, None), (_LEAST_SLOPE, None)], method="L-BFGS-B").x
    return tuple(
        (round(float(at), _DIGITS), round(float(to), _DIGITS)) for at, to in zip(_GRID, expit(offset + slope * _odds(_GRID)), strict=True)
    )


def apply(knots: Sequence[tuple[float, float]], told: Floats) -> Floats:
    """Shape (answers,): corrected, linearly between the knots."""
    at, to = np.array(knots).T
    corrected: Floats = np.interp(told, at, to)
    return corrected


def _odds(told: Floats) -> Floats:
    odds: Floats = logit(np.clip(told, _LEAST, 1 - _LEAST))
    return odds
