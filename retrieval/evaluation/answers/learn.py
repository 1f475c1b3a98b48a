"""Learn how sure an answer is from tuning halves: `python -m retrieval.evaluation.answers.learn`.

Logistic regression whose weights may not be negative, by what leaves its likelihood greatest (L-BFGS-B), lightly regularised. The curve
from which thresholds are set is made of probabilities of questions that the model they came from had not seen. `--leave-out` learns
without each collection in turn and reports how that one does: a company's documents are none of these.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from scipy.optimize import minimize
from scipy.special import expit

from retrieval.bootstrap import open_embedder
from retrieval.domain.clock import SystemClock
from retrieval.domain.risk import RiskCurve
from retrieval.evaluation.answers.asked_answers import COLLECTIONS, AskedAnswer, ask_for_tuning
from retrieval.evaluation.calibrating import correction
from retrieval.evaluation.reliability import Booleans, Floats, area_under_risks, calibration_error, folds, separation
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.models import Embedder
from retrieval.settings import Settings
from retrieval.steps.confidence_model import FILE, Weighing, read_model

BY_LEGS = ("support_odds", "support_margin", "dense_margin", "coverage", "evidence_coverage", "lexical_margin", "agreement", "answer_type")
BY_TOKENS = (
    "support_odds",
    "support_margin",
    "evidence_coverage",
    "lexical_margin",
    "agreement",
    "answer_type",
    "tokens_beyond_title",
    "tokens_margin",
)
"""Of the signals those that do best on collections that were left out."""
PENALTY = 1.0
"""Of the squared weights of standardised signals."""
FOLDS = 10
_DIGITS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes both models beside the code that reads them, or reports how each left-out collection does."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.evaluation.answers.learn", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--leave-out", action="store_true", help="learn without each collection in turn, report, write nothing")
    chosen = parser.parse_args(arguments)
    settings, console = Settings(), Console()
    embedder = open_embedder(settings)
    cache = VectorCache(settings.evaluation_cache_directory, embedder)
    asked = [answer for name in COLLECTIONS for answer in ask_for_tuning(settings, embedder, cache, settings.evaluation_directory / name)]
    lesson = [answer for answer in asked if answer.signals]
    if chosen.leave_out:
        for name, measures in left_out(lesson):
            console.print(f"{name:16}", "  ".join(f"{measure} {value:.3f}" for measure, value in measures.items()))
        return 0
    without_tokens = read_lesson(settings.model_copy(update={"rerank_tokens": False}), embedder, cache)
    write(FILE, lesson, without_tokens, embedder=embedder.model)
    console.print(read_model(FILE).name, dict(read_model(FILE).by_tokens.weights))
    return 0


def read_lesson(settings: Settings, embedder: Embedder, cache: VectorCache) -> list[AskedAnswer]:
    """The tuning questions for which there was evidence."""
    directories = [settings.evaluation_directory / name for name in COLLECTIONS]
    asked = (answer for directory in directories for answer in ask_for_tuning(settings, embedder, cache, directory))
    return [answer for answer in asked if answer.signals]


def write(path: Path, lesson: Sequence[AskedAnswer], without_tokens: Sequence[AskedAnswer], *, embedder: str) -> None:
    """Learns both models and keeps them with their card, one line for each part."""
    by_tokens, told = learned(lesson, BY_TOKENS)
    by_legs, _ = learned(without_tokens, BY_LEGS)
    kept = {
        "card": card(lesson, embedder),
        "models": {"tokens": _weighing_as_json(by_tokens), "legs": _weighing_as_json(by_legs)},
        "tuning": {name: _tuning(lesson, told, name) for name in ("all", *COLLECTIONS)},
    }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(part)}" for name, part in kept.items())
    path.write_text("{\n" + lines + "\n}\n", encoding="utf-8")


def learned(lesson: Sequence[AskedAnswer], names: Sequence[str]) -> tuple[Weighing, Floats]:
    """The model of all, and what models of the other folds told of each; of that is its curve."""
    right = _right(lesson)
    fold = folds([answer.id for answer in lesson], FOLDS)
    told = np.zeros(len(lesson))
    for number in range(FOLDS):
        one = fit(_columns(lesson, names)[fold != number], right[fold != number], names)
        told[fold == number] = [one.probability(answer.signals) for answer, at in zip(lesson, fold, strict=True) if at == number]
    one = fit(_columns(lesson, names), right, names)
    return Weighing(one.bias, one.weights, _curve(told, right)), told


def fit(x: Floats, right: Booleans, names: Sequence[str]) -> Weighing:
    """The likeliest weights, none below 0.

    Args:
        x: shape (answers, signals).
        right: shape (answers,).
        names: of the signals.
    """
    spread = np.maximum(x.std(axis=0), 1e-6)
    centre = x.mean(axis=0)
    z = (x - centre) / spread

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = weights[0] + z @ weights[1:]
        slope = expit(logits) - right
        value = np.logaddexp(0, logits).sum() - logits[right].sum() + PENALTY / 2 * (weights[1:] ** 2).sum()
        return float(value), np.concatenate([[slope.sum()], z.T @ slope + PENALTY * weights[1:]])

    bounds = [(None, None), *([(0.0, None)] * len(names))]
    found = minimize(loss, np.zeros(len(names) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    weights = found[1:] / spread
    told = {name: round(float(weight), _DIGITS) for name, weight in zip(names, weights, strict=True)}
    return Weighing(round(float(found[0] - weights @ centre), _DIGITS), told, RiskCurve.of(()))


def left_out(lesson: Sequence[AskedAnswer]) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Each collection's figures by a model that has seen nothing of it."""
    for name in dict.fromkeys(answer.collection for answer in lesson):
        others = [answer for answer in lesson if answer.collection != name]
        its = [answer for answer in lesson if answer.collection == name]
        model = fit(_columns(others, BY_TOKENS), _right(others), BY_TOKENS)
        told = np.array([model.probability(answer.signals) for answer in its])
        measures = {
            "answerable_auroc": separation(told, np.array([answer.answerable for answer in its])),
            "right_auroc": separation(told, _right(its)),
            "ece": calibration_error(told, _right(its)),
            "aurc": area_under_risks(told, _right(its)),
        }
        yield name, measures


def card(lesson: Sequence[AskedAnswer], embedder: str) -> Mapping[str, object]:
    """What a reader of the model should know."""
    return {
        "made": SystemClock().now().date().isoformat(),
        "what": "probability that an extractive answer shows the evidence that decides the question",
        "learned_from": {name: sum(answer.collection == name for answer in lesson) for name in COLLECTIONS},
        "questions": "even halves; SciFact's training claims; what has an answer once more with the documents that hold it withheld",
        "right": "a quote overlaps gold evidence by half of the shorter of the two, or contains the gold span",
        "embedder": embedder,
        "figures": "reports/answers.json, of the other halves",
        "limits": [
            "English; encyclopaedia articles and abstracts of biomedicine; other documents need `archivist calibrate`",
            "what it was told of conflicts and of worded answers is a rule, not learned",
            "an answer that is nowhere in the collection is told from one that is; a false document is believed",
        ],
    }


def _tuning(lesson: Sequence[AskedAnswer], told: Floats, name: str) -> dict[str, object]:
    its = np.array([name in ("all", answer.collection) for answer in lesson])
    right = _right(lesson)[its]
    return {"knots": correction(told[its], right), "curve": _curve_as_json(_curve(told[its], right))}


def _weighing_as_json(model: Weighing) -> dict[str, object]:
    return {"bias": model.bias, "weights": model.weights, "curve": _curve_as_json(model.curve)}


def _curve_as_json(curve: RiskCurve) -> dict[str, object]:
    return {"given": curve.given, "wrong": curve.wrong}


def _curve(told: Floats, right: Booleans) -> RiskCurve:
    return RiskCurve.of(zip(told.tolist(), right.tolist(), strict=True))


def _columns(lesson: Sequence[AskedAnswer], names: Sequence[str]) -> Floats:
    return np.array([[answer.signals[name] for name in names] for answer in lesson])


def _right(lesson: Sequence[AskedAnswer]) -> Booleans:
    return np.array([answer.is_right for answer in lesson])


if __name__ == "__main__":
    sys.exit(main())
