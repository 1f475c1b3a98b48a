"""How good told probabilities are: calibration, telling right from wrong, and what answering only when sure is worth.

Everywhere `told` has shape (answers,), probabilities from 0 to 1, and `right` has shape (answers,), booleans.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

BINS = 15
"""As in Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), but of equal mass: Nixon et al. (CVPR workshops 2019)."""
_DRAWS = 200
_SEED = 7


@dataclass(frozen=True)
class Bin:
    """Answers of like confidence: the mean that was told, the share that was right, and how many they are."""

    told: float
    right: float
    answers: int


def bins(told: Floats, right: Booleans, count: int = BINS) -> list[Bin]:
    """As many answers in each as can be, least sure first."""
    order = np.argsort(told, kind="stable")
    parts = [part for part in np.array_split(order, count) if len(part)]
    return [Bin(float(told[part].mean()), float(right[part].mean()), len(part)) for part in parts]


def calibration_error(told: Floats, right: Booleans, count: int = BINS) -> float:
    """Expected calibration error over bins of equal mass: the mean distance between told and right, each bin by its answers."""
    return sum(abs(one.told - one.right) * one.answers for one in bins(told, right, count)) / max(len(told), 1)


def calibration_error_by_chance(told: Floats, count: int = BINS) -> float:
    """The calibration error that so few answers show on average where every told probability is exactly true."""
    random = np.random.default_rng(_SEED)
    return float(np.mean([calibration_error(told, random.random(len(told)) < told, count) for _ in range(_DRAWS)]))


def separation(told: Floats, positive: Booleans) -> float:
    """Area under the ROC curve: how probably a positive one was told more than a negative one. 0.5 where all are of one kind."""
    return float(roc_auc_score(positive, told)) if 0 < positive.sum() < len(positive) else 0.5


def risks(told: Floats, right: Booleans) -> Floats:
    """Shape (answers,): the share of wrong ones among the surest 1, 2, ...; those told the same count as their mean."""
    _, group = np.unique(-told, return_inverse=True)
    wrong = (np.bincount(group, ~right) / np.bincount(group))[group]
    return np.cumsum(wrong[np.argsort(group, kind="stable")]) / np.arange(1, len(told) + 1)


def area_under_risks(told: Floats, right: Booleans) -> float:
    """Mean risk over all coverages (Geifman, Uziel and El-Yaniv, ICLR 2019). Lower is better."""
    return float(risks(told, right).mean())


def given(told: Floats, right: Booleans, threshold: float) -> tuple[float, float]:
    """(share of answers told at least the threshold, share of wrong ones among them); (0, 0) where there are none."""
    chosen = told >= threshold
    return (float(chosen.mean()), float((~right[chosen]).mean())) if chosen.any() else (0.0, 0.0)


def folds(ids: Sequence[str], count: int) -> npt.NDArray[np.int64]:
    """Shape (len(ids),): the fold of each, the same for the same id, of even size and spread by chance."""
    names = sorted(set(ids))
    shuffled = np.random.default_rng(_SEED).permutation(len(names)) % count
    fold = dict(zip(names, shuffled.tolist(), strict=True))
    return np.array([fold[id_] for id_ in ids], dtype=np.int64)
