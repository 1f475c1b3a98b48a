"""Learn the lexical leg's weight per query from tuning splits: `python -m retrieval.evaluation.learn_weights`.

Each tuning query tells its nDCG@10 at every weight; the model's slopes are those at which the mean over the collections is highest, each
collection with the square root of its queries' weight. `--leave-out` learns without each collection in turn, from the kept signals and
from all, and reports what that one loses or gains beside the fixed weight and the other methods of fusion.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize

from retrieval.bootstrap import open_embedder
from retrieval.domain.runs import Leg, Run
from retrieval.evaluation.judged import Split
from retrieval.evaluation.metrics import METRICS
from retrieval.evaluation.ranking import Asked, JudgedRuns, ids, open_collection
from retrieval.evaluation.run import WIDTH
from retrieval.evaluation.tune import METRIC, TUNING
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.reading import LegSearch
from retrieval.settings import Settings
from retrieval.steps import weights
from retrieval.steps.feedback import feedback_vector
from retrieval.steps.fuse import Method, fuse_as
from retrieval.steps.weights import SIGNALS, WEIGHT_DECIMALS, Influence, Influences, weight_by

KEPT = ("lexical_steepness", "dense_steepness")
"""Signals that lose least on collections which the model has not learned from; `--leave-out` shows it beside all of them."""
MOST_QUERIES = 900
"""Of one split, evenly spread."""
WEIGHTS = tuple(round(0.01 * step, WEIGHT_DECIMALS) for step in range(25, 86))
"""At which fusion is measured: each that a query can have, and some beyond, to learn from."""
BLUR = 0.08
"""Deviation of the weights over which a query's figures are averaged to learn from: one query's are all steps."""
PENALTY = 0.0005
"""On the squares of the slopes, in nDCG@10: what keeps the weight near the settings'."""
METHODS: tuple[Method, ...] = ("rank", "distribution")
_FILE = Path(weights.__file__).with_suffix(".json")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """One split.

    Attributes:
        signals: of each query; none where a leg found nothing.
        figures: shape (queries, weights), nDCG@10 of the convex combination.
        others: of the other methods at the settings' weight; shape (queries,) each.
    """

    signals: Sequence[Mapping[str, float]]
    figures: Floats
    others: Mapping[Method, Floats]

    def gained(self, influences: Influences, base: float) -> float:
        """The mean nDCG@10 at each query's own weight, less that at the base."""
        own = [weight_by(influences, one, base) for one in self.signals]
        return float(np.mean(_at(self.figures, np.array(own))[0] - self.fixed(base)))

    def fixed(self, base: float) -> Floats:
        return _at(self.figures, np.full(len(self.figures), base))[0]


Lesson = Mapping[tuple[str, Split], Told]


def main(arguments: Sequence[str] | None = None) -> int:
    """Learns the model and writes it beside the code that reads it, or reports what each left-out collection gets."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.evaluation.learn_weights", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--leave-out", action="store_true", help="learn without each collection in turn, report, write nothing")
    chosen = parser.parse_args(arguments)
    settings, console = Settings(), Console(width=None if sys.stdout.isatty() else WIDTH)
    lesson, base = read_lesson(settings, console), settings.fusion_lexical_weight
    if chosen.leave_out:
        for names, title in ((KEPT, "kept signals"), (tuple(SIGNALS), "all signals")):
            models = {name: learn(lesson, base, names=names, without=name) for name in TUNING}
            console.print(_table(lesson, models, base, title=f"{METRIC}, {title}, learned on the other collections"))
        return 0
    learned = learn(lesson, base)
    console.print(_table(lesson, dict.fromkeys(TUNING, learned), base, title=f"{METRIC} of what it was learned from"))
    kept = {
        "learned_from": [f"{name} {split}" for name, split in lesson],
        "influences": {name: asdict(one) for name, one in learned.items()},
    }
    _FILE.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return 0


def read_lesson(settings: Settings, console: Console) -> Lesson:
    """Every tuning split, by the product's own legs and its feedback."""
    embedder = open_embedder(settings)
    cache = VectorCache(settings.evaluation_cache_directory, embedder)
    lesson: dict[tuple[str, Split], Told] = {}
    for name, splits in TUNING.items():
        with open_collection(
            settings.evaluation_directory / name, embedder, cache, depth=settings.query_depth, progress=lambda *_told: None
        ) as search:
            for split in splits:
                runs = search(split)
                lesson[name, split] = _told(runs, runs.asked[:: -(-len(runs.asked) // MOST_QUERIES)], settings)
                console.print(f"{name} {split}: {len(lesson[name, split].signals)} queries")
    return lesson


def learn(lesson: Lesson, base: float, *, names: Sequence[str] = KEPT, without: str = "") -> Influences:
    """The slopes, from collections other than `without`. At the signals' mean the weight is the base."""
    told = [(one, [at for at, found in enumerate(one.signals) if found]) for key, one in lesson.items() if key[0] != without]
    x = np.array([[one.signals[at][name] for name in names] for one, rows in told for at in rows])
    figures = np.vstack([one.figures[rows] for one, rows in told]) @ _blur().T
    counts = np.concatenate([np.full(len(rows), len(rows) ** -0.5) for _, rows in told])
    counts /= counts.sum()
    centre = counts @ x
    spread = np.maximum(np.sqrt(counts @ (x - centre) ** 2), 1e-3)
    standard = (x - centre) / spread
    logit = np.log(base / (1 - base))

    def loss(slopes: Floats) -> tuple[float, Floats]:
        weight = 1 / (1 + np.exp(-(logit + standard @ slopes)))
        found, rise = _at(figures, weight)
        return float(PENALTY * slopes @ slopes - counts @ found), 2 * PENALTY * slopes - standard.T @ (
            counts * rise * weight * (1 - weight)
        )

    slopes = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B").x / spread
    return {name: Influence(round(float(mean), 4), round(float(slope), 4)) for name, mean, slope in zip(names, centre, slopes, strict=True)}


def _told(runs: JudgedRuns, asked: Sequence[Asked], settings: Settings) -> Told:
    metric = METRICS[METRIC]
    figures, others = [], []
    for one in asked:
        grades, fed = runs.queries.qrels[one.id], _Feedback(one, settings)

        def figure(method: Method, weight: float, one: Asked = one, fed: "_Feedback" = fed, grades: Mapping[str, int] = grades) -> float:
            fused = fuse_as(method, one.runs.lexical, one.runs.dense, lexical_weight=weight, feedback=fed.run(method, weight))
            return metric(one.index.documents(ids(fused)), grades)

        figures.append([figure("convex", weight) for weight in WEIGHTS])
        others.append([figure(method, settings.fusion_lexical_weight) for method in METHODS])
    found = [weights.signals(one.text, one.runs.lexical, one.runs.dense) for one in asked]
    return Told(found, np.array(figures), dict(zip(METHODS, np.array(others).T, strict=True)))


class _Feedback:
    """The dense leg's second search for one query, from what a fusion finds first: once for each such beginning."""

    def __init__(self, asked: Asked, settings: Settings) -> None:
        self._asked, self._settings = asked, settings
        self._known: dict[tuple[str, ...], Run] = {}

    def run(self, method: Method, weight: float) -> Run | None:
        runs = self._asked.runs
        best = tuple(ids(fuse_as(method, runs.lexical, runs.dense, lexical_weight=weight))[: self._settings.feedback_passages])
        if best and best not in self._known:
            self._known[best] = self._search(best)
        return self._known.get(best)

    def _search(self, best: Sequence[str]) -> Run:
        index, settings = self._asked.index, self._settings
        vectors = index.vectors(index.scope, best)
        moved = feedback_vector(self._asked.vector, [vectors[passage] for passage in best], weight=settings.feedback_weight)
        return Run(Leg.FEEDBACK, index.search(index.scope, LegSearch("", moved, settings.query_depth)).dense.hits)


def _at(figures: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Each row's figure at its weight, and how it rises there; shapes (queries,)."""
    place = (np.clip(weight, WEIGHTS[0], WEIGHTS[-1]) - WEIGHTS[0]) / (WEIGHTS[1] - WEIGHTS[0])
    before = np.minimum(place.astype(int), len(WEIGHTS) - 2)
    row = np.arange(len(figures))
    step = figures[row, before + 1] - figures[row, before]
    return figures[row, before] + (place - before) * step, step / (WEIGHTS[1] - WEIGHTS[0])


def _blur() -> Floats:
    """Shape (weights, weights): each row averages the figures around one weight."""
    apart = np.subtract.outer(WEIGHTS, WEIGHTS)
    near = np.exp(-0.5 * (apart / BLUR) ** 2)
    averaging: Floats = near / near.sum(axis=1, keepdims=True)
    return averaging


def _table(lesson: Lesson, models: Mapping[str, Influences], base: float, *, title: str) -> Table:
    shown = Table("collection", "split", "queries", f"fixed {base}", "learned", "gained", *METHODS, title=title)
    for (name, split), told in lesson.items():
        fixed, gained = float(told.fixed(base).mean()), told.gained(models[name], base)
        others = [f"{told.others[method].mean():.4f}" for method in METHODS]
        shown.add_row(name, split, f"{len(told.signals)}", f"{fixed:.4f}", f"{fixed + gained:.4f}", f"{gained:+.4f}", *others)
    return shown


if __name__ == "__main__":
    sys.exit(main())
