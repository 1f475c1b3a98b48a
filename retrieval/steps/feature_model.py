"""The feature reranker's model: a small network of rectified units, learned on tuning splits, kept as JSON beside this file.

Where it is linear around a hit, each feature's part in the score is exact: its value times the slope there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from retrieval.steps.features import FEATURES, LEG_FEATURES, Compared, features
from retrieval.steps.token_text import Floats

NAME = "features"
_FILE = Path(__file__).with_name("feature_model.json")


@dataclass(frozen=True)
class FeatureModel:
    """score = output @ max(0, hidden @ x + hidden_bias) + direct @ x.

    Attributes:
        names: of the columns of x.
        hidden: shape (units, columns).
        hidden_bias: shape (units,).
        output: shape (units,).
        direct: shape (columns,).
    """

    names: tuple[str, ...]
    hidden: Floats
    hidden_bias: Floats
    output: Floats
    direct: Floats

    def scores(self, x: Floats) -> Floats:
        """Shape (hits, columns) to (hits,)."""
        scores: Floats = np.maximum(x @ self.hidden.T + self.hidden_bias, 0) @ self.output + x @ self.direct
        return scores

    def contributions(self, x: Floats) -> list[Mapping[str, float]]:
        """What each feature adds to each hit's score; they sum to the score but for a part that no feature has."""
        slopes = ((x @ self.hidden.T + self.hidden_bias) > 0) * self.output @ self.hidden + self.direct
        return [dict(zip(self.names, map(float, row), strict=True)) for row in slopes * x]


@dataclass(frozen=True)
class FeatureScores:
    """Scores of the hits, in their order, comparable among themselves only. `contributions` are made when they are asked for."""

    scores: tuple[float, ...]
    model: FeatureModel
    x: Floats

    def contributions(self) -> Sequence[Mapping[str, float]]:
        return self.model.contributions(self.x)


def score(compared: Compared) -> FeatureScores:
    """Scores of the hits by the model that fits what is known of them: with their tokens, or by their legs alone."""
    x = features(compared)
    model = _models()["tokens" if x.shape[1] == len(FEATURES) else "legs"]
    return FeatureScores(tuple(map(float, model.scores(x))), model, x)


@lru_cache(maxsize=1)
def _models() -> Mapping[str, FeatureModel]:
    return read_models(_FILE)


def read_models(path: Path) -> Mapping[str, FeatureModel]:
    """By what they look at: `tokens` and `legs`.

    Raises:
        ValueError: they were learned from other features than this version computes.
    """
    kept = json.loads(path.read_text(encoding="utf-8"))["models"]
    models = {
        name: FeatureModel(
            names=tuple(model["features"]),
            **{part: np.array(model[part], dtype=np.float32) for part in ("hidden", "hidden_bias", "output", "direct")},
        )
        for name, model in kept.items()
    }
    if {name: model.names for name, model in models.items()} != {"tokens": FEATURES, "legs": LEG_FEATURES}:
        raise ValueError(f"{path.name} was learned from other features; learn it anew: python -m retrieval.evaluation.learn")
    return models
