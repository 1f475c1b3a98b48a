"""Support of sentences by their words and tokens: two small linear models, learned on tuning splits, kept as JSON beside this file.

One puts the sentences in order, with a part of its own for what is asked as a statement, to be confirmed. The other tells of the best of
them how likely it is that it answers at all, for questions of the kinds that it has learned from. The others' support falls with their
score:

    support = sufficiency of the best * 2 / (1 + exp((best score - score) / SCORE_SPREAD))
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from retrieval.domain.answers import RetrievedPassage
from retrieval.domain.runs import SCORE_DECIMALS
from retrieval.steps.evidence_features import FEATURES, features
from retrieval.steps.question_kind import QuestionKind, kind_of
from retrieval.steps.quotable import Quotable, Supported
from retrieval.steps.sentence_tokens import Nearness
from retrieval.steps.token_text import Floats

_FILE = Path(__file__).with_name("evidence_model.json")
SCORE_SPREAD = 2.0
"""How slowly support falls with the score: a further sentence is quoted while it has a part of the best one's (`steps.answer`)."""
_LEAST_DEVIATION = 0.02
_SHOWN = ("lexical", "likeness", "rare_likeness", "coverage", "titled_likeness", "lowest_likeness", "passage", "holds", "lacks")
"""Features that are told with the evidence."""


@dataclass(frozen=True)
class EvidenceModel:
    """Weights.

    Attributes:
        order: shape (2 * columns,), of the features as they are and standardised among the candidates.
        statement: the same, added where what is asked is a statement.
        sufficiency: shape (columns,), of the best candidate's features as they are.
        intercept: of the sufficiency.
    """

    order: Floats
    statement: Floats
    sufficiency: Floats
    intercept: float

    def scores(self, x: Floats, *, is_statement: bool) -> Floats:
        """Shape (candidates, columns) to (candidates,): comparable among these candidates only."""
        weights = self.order + self.statement if is_statement else self.order
        scores: Floats = np.round(with_standardised(x).dot(weights), SCORE_DECIMALS)
        return scores

    def support(self, x: Floats, scores: Floats) -> Floats:
        """Shape (candidates,), 0 to 1, in the order of the scores."""
        best = int(scores.argmax())
        sufficiency = _logistic(float(x[best].dot(self.sufficiency)) + self.intercept)
        support: Floats = sufficiency * 2 * _logistic((scores - scores[best]) / SCORE_SPREAD)
        return support


def by_tokens(
    question: str, hits: Sequence[RetrievedPassage], candidates: Sequence[Quotable], shares: Floats, near: Nearness
) -> list[Supported]:
    """Every candidate with its support, in the order given. `shares` has each candidate's lexical share, `near` is of the same hits."""
    x = features(question, hits, candidates, shares, near)
    model = _model()
    support = model.support(x, model.scores(x, is_statement=kind_of(question) is QuestionKind.STATEMENT))
    shown = [FEATURES.index(name) for name in _SHOWN]
    return [
        Supported(sentence, round(float(one), SCORE_DECIMALS), dict(zip(_SHOWN, row, strict=True)))
        for sentence, one, row in zip(candidates, support, x[:, shown].tolist(), strict=True)
    ]


def with_standardised(x: Floats) -> Floats:
    """Shape (candidates, columns) to (candidates, 2 * columns): as they are, and by how many deviations they differ from the mean."""
    return np.hstack([x, (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), _LEAST_DEVIATION)])


def _logistic(values: Floats | float) -> Floats:
    result: Floats = 1 / (1 + np.exp(-np.clip(values, -50, 50)))
    return result


@lru_cache(maxsize=1)
def _model() -> EvidenceModel:
    return read_model(_FILE)


def read_model(path: Path) -> EvidenceModel:
    """What `retrieval.evaluation.answers.learn_evidence` wrote.

    Raises:
        ValueError: it was learned from other features than this version computes.
    """
    kept = json.loads(path.read_text(encoding="utf-8"))
    if tuple(kept["features"]) != FEATURES:
        raise ValueError(
            f"{path.name} was learned from other features; learn it anew: python -m retrieval.evaluation.answers.learn_evidence"
        )
    parts = {part: np.array(kept[part], dtype=np.float32) for part in ("order", "statement", "sufficiency")}
    return EvidenceModel(**parts, intercept=kept["intercept"])
