"""How much the lexical leg counts for one query, from what is known before fusion: the query and what both legs found.

A logistic model around the weight that the settings give, learned on tuning splits by `python -m retrieval.evaluation.learn_weights`
and kept as JSON beside this file. Nothing enters but the query and the runs, which are made of what the caller may read.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import log, log1p, tanh
from pathlib import Path

from retrieval.domain.identifiers import identifiers, words
from retrieval.domain.phrases import phrases_in
from retrieval.domain.runs import Run

MOST_SHIFT = 0.15
"""How far from the settings' weight the model may go: a query unlike all that it has learned from is fused nearly as any other."""
WEIGHT_DECIMALS = 2
"""Of the weight: it is measured at each that it can have."""
STEEP_RANK = 5
"""A leg is steep where its hit at this rank is much worse than its first."""
AGREEING = 10
"""First hits of each leg, among which they agree or not."""
_FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Influence:
    """What one signal does to the weight: slope * (signal - centre), in logits."""

    centre: float
    slope: float


Influences = Mapping[str, Influence]
"""By the signal's name."""


def signals(text: str, lexical: Run, dense: Run) -> Mapping[str, float]:
    """Each of `SIGNALS`, by its name; none where a leg found nothing, and there is nothing to weigh."""
    if not lexical.hits or not dense.hits or lexical.hits[0].score <= 0:
        return {}
    return {name: signal(text, lexical, dense) for name, signal in SIGNALS.items()}


def lexical_weight(signals: Mapping[str, float], base: float) -> float:
    """The lexical leg's share in the fused score, 0 to 1 and at most `MOST_SHIFT` from `base`; `base` where there are no signals."""
    return weight_by(_learned(), signals, base)


def weight_by(influences: Influences, signals: Mapping[str, float], base: float) -> float:
    """The same, by a model of one's own. A base of 0 or 1 leaves one leg out, whatever the query."""
    if not signals or not 0 < base < 1:
        return base
    shift = sum(one.slope * (signals[name] - one.centre) for name, one in influences.items())
    weight = (1 + tanh((log(base / (1 - base)) + shift) / 2)) / 2  # the logistic function, without its overflow
    return min(max(round(weight, WEIGHT_DECIMALS), base - MOST_SHIFT, 0.0), base + MOST_SHIFT, 1.0)


def _terms(text: str, _lexical: Run, _dense: Run) -> float:
    return log1p(len(_distinct(text)))


def _rarity(text: str, lexical: Run, _dense: Run) -> float:
    """The best lexical score for each term of the query: rare terms score high, terms that nothing holds score nothing."""
    return lexical.hits[0].score / max(len(_distinct(text)), 1)


def _identifiers(text: str, _lexical: Run, _dense: Run) -> float:
    return float(bool(identifiers(text)))


def _phrases(text: str, _lexical: Run, _dense: Run) -> float:
    return float(bool(phrases_in(text)))


def _agreement(_text: str, lexical: Run, dense: Run) -> float:
    """The share of the first hits that are the first of both legs."""
    first = [{hit.passage for hit in run.hits[:AGREEING]} for run in (lexical, dense)]
    return len(first[0] & first[1]) / AGREEING


def _lexical_steepness(_text: str, lexical: Run, _dense: Run) -> float:
    """The share of its first score that the leg has lost at `STEEP_RANK`."""
    return 1 - lexical.hits[:STEEP_RANK][-1].score / lexical.hits[0].score


def _dense_steepness(_text: str, _lexical: Run, dense: Run) -> float:
    """The cosine that the leg has lost there. A cosine has no zero of its own to take a share from."""
    return dense.hits[0].score - dense.hits[:STEEP_RANK][-1].score


SIGNALS: Mapping[str, Callable[[str, Run, Run], float]] = {
    "terms": _terms,
    "rarity": _rarity,
    "identifiers": _identifiers,
    "phrases": _phrases,
    "agreement": _agreement,
    "lexical_steepness": _lexical_steepness,
    "dense_steepness": _dense_steepness,
}
"""What could say how to weigh the legs. The model has kept those that lost least on collections it had not learned from."""


def read_influences(path: Path) -> Influences:
    """The model in a file. Raises ValueError when it looks at a signal that this version does not know."""
    kept = json.loads(path.read_text(encoding="utf-8"))["influences"]
    if unknown := sorted(kept.keys() - SIGNALS.keys()):
        raise ValueError(f"{path.name} looks at {', '.join(unknown)}; learn it anew: python -m retrieval.evaluation.learn_weights")
    return {name: Influence(**one) for name, one in kept.items()}


@lru_cache(maxsize=1)
def _learned() -> Influences:
    return read_influences(_FILE)


def _distinct(text: str) -> set[str]:
    return {word.casefold() for word in words(text)}
