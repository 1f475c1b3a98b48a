"""How probable it is that an answer is right: a logistic model over its signals, of which none may count against certainty.

Learned by `python -m retrieval.evaluation.answers.learn` and kept as JSON beside this file, with the card that says from what. No weight
is below 0, so that better evidence never makes an answer less sure.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import exp
from pathlib import Path
from typing import Any

from retrieval.domain.risk import RiskCurve

FULL_SUPPORT = 0.8
"""A worded answer is as sure as a quoted one where its sentences have this support on average; below, in proportion less."""
FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Weighing:
    """One logistic model.

    Attributes:
        weights: logits for one unit of each signal.
        curve: how often answers were wrong by the probability it told, of questions that it had not learned from.
    """

    bias: float
    weights: Mapping[str, float]
    curve: RiskCurve

    def probability(self, signals: Mapping[str, float]) -> float:
        """Raises KeyError when a signal is missing."""
        logit = self.bias + sum(weight * signals[name] for name, weight in self.weights.items())
        return 1 / (1 + exp(-max(min(logit, 500.0), -500.0)))


@dataclass(frozen=True)
class Tuning:
    """What one collection's tuning half would teach on top of the model: for reports, which have the other half.

    Attributes:
        knots: (probability as told, as corrected).
    """

    knots: tuple[tuple[float, float], ...]
    curve: RiskCurve


@dataclass(frozen=True)
class ConfidenceModel:
    """What is shipped.

    Attributes:
        name: `confidence@1` and the hash of its weights.
        by_tokens: where the signals of late interaction are there.
        by_legs: where they are not.
        tuning: by collection, and `all`.
        card: what it was learned from, how well it does, its limits.
    """

    name: str
    by_tokens: Weighing
    by_legs: Weighing
    tuning: Mapping[str, Tuning] = field(repr=False)
    card: Mapping[str, object] = field(repr=False)

    def probability(self, signals: Mapping[str, float]) -> float:
        """0 to 1; 0 without signals, which is without an answer.

        Of k + 1 statements that contradict each other at most one is right, so k conflicts divide it by k + 1.
        """
        if not signals:
            return 0.0
        probability = self.weighing(signals).probability(signals) / (1 + signals.get("conflicts", 0.0))
        return probability * min(signals.get("claims", 1.0) / FULL_SUPPORT, 1.0)

    def weighing(self, signals: Mapping[str, float]) -> Weighing:
        """The model that these signals are enough for."""
        return self.by_tokens if self.by_tokens.weights.keys() <= signals.keys() else self.by_legs


def read_model(path: Path) -> ConfidenceModel:
    """The model in a file."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    models = kept["models"]
    tuning = {name: Tuning(tuple(map(tuple, one["knots"])), _curve(one["curve"])) for name, one in kept["tuning"].items()}
    return ConfidenceModel(model_name(models), _weighing(models["tokens"]), _weighing(models["legs"]), tuning, kept["card"])


def model_name(models: Mapping[str, object]) -> str:
    """Equal for equal weights."""
    digest = hashlib.blake2b(json.dumps(models, sort_keys=True).encode(), digest_size=4).hexdigest()
    return f"confidence@1+{digest}"


@lru_cache(maxsize=1)
def shipped() -> ConfidenceModel:
    """The one beside this file."""
    return read_model(FILE)


def _weighing(kept: Mapping[str, Any]) -> Weighing:
    return Weighing(kept["bias"], kept["weights"], _curve(kept["curve"]))


def _curve(kept: Mapping[str, Sequence[int]]) -> RiskCurve:
    return RiskCurve(tuple(kept["given"]), tuple(kept["wrong"]))
