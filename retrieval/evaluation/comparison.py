"""Whether one ranking is better than another on the same queries, or only luckier with these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.domain.errors import InvalidInput

RESAMPLES = 10_000
CONFIDENCE = 0.95
SIGNIFICANT = 0.05
TIE = 1e-9
"""Differences up to this are float noise."""
_SEED = 20_061
_CHUNK = 500

Values = Mapping[str, float]
"""Query id to the value of one metric."""
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """One query's value before and after."""

    query: str
    first: float
    second: float

    @property
    def difference(self) -> float:
        return self.second - self.first


@dataclass(frozen=True)
class Comparison:
    """The second ranking against the first, over the queries of both.

    Attributes:
        difference: mean of the second less mean of the first.
        low, high: bounds of the difference, with a confidence of 95 %.
        p: how probable so great a difference would be, in either direction, if there were none.
        wins, ties, losses: queries on which the second is better, equal, worse.
        changes: every query that is not a tie, the greatest change first, then by query id.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    wins: int
    ties: int
    losses: int
    changes: tuple[Change, ...]

    @property
    def queries(self) -> int:
        return self.wins + self.ties + self.losses


def compare(first: Values, second: Values, *, resamples: int = RESAMPLES) -> Comparison:
    """Paired bootstrap over queries. Same values, same result: the resamples are drawn from a fixed seed.

    Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 13 and 16; for retrieval, Sakai, "Evaluating Evaluation
    Metrics based on the Bootstrap" (SIGIR 2006). The p-value counts the resamples whose mean lies as far from the observed one as that
    lies from 0.

    Args:
        first: of one ranking.
        second: of the other, of the same queries.
        resamples: samples of as many queries, drawn with replacement.

    Raises:
        InvalidInput: the two are not of the same queries, or of none.
    """
    return compare_each({"": first}, {"": second}, resamples=resamples)[""]


def compare_each(first: Mapping[str, Values], second: Mapping[str, Values], *, resamples: int = RESAMPLES) -> dict[str, Comparison]:
    """The same for several pairs over the same queries, by name, all on the same resamples. Raises InvalidInput."""
    queries = sorted({query for values in (*first.values(), *second.values()) for query in values})
    if not queries:
        raise InvalidInput.of("queries", "there are none to compare")
    if any(len(values) != len(queries) for values in (*first.values(), *second.values())):
        raise InvalidInput.of("queries", "the two were not asked the same queries")
    before = np.array([[values[query] for values in first.values()] for query in queries])
    after = np.array([[second[name][query] for name in first] for query in queries])
    differences = np.where(np.abs(after - before) <= TIE, 0.0, after - before)
    drawn = resampled_means(differences, resamples=resamples)
    return {name: _comparison(queries, before[:, at], after[:, at], differences[:, at], drawn[:, at]) for at, name in enumerate(first)}


def interval(values: Values, *, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Bounds of the mean over queries like these, with a confidence of 95 %; (0, 0) of none."""
    if not values:
        return 0.0, 0.0
    drawn = resampled_means(np.array([list(values.values())]).T, resamples=resamples)[:, 0]
    return _bounds(drawn)


def written_p(p: float) -> str:
    """With a star where it is significant. Below .0002 the number of resamples decides the figure."""
    return ("< .0002" if p < 0.0002 else f"{p:.4f}") + (" *" if p < SIGNIFICANT else "")


def resampled_means(values: _Floats, *, resamples: int) -> _Floats:
    """Shape (resamples, columns): the column means of samples of the rows, with replacement. `values` is of shape (rows, columns)."""
    random = np.random.default_rng(_SEED)
    rows = len(values)
    drawn = []
    for at in range(0, resamples, _CHUNK):
        times = random.multinomial(rows, np.full(rows, 1 / rows), size=min(_CHUNK, resamples - at))
        drawn.append(times @ values / rows)
    return np.concatenate(drawn)


def _comparison(queries: Sequence[str], before: _Floats, after: _Floats, differences: _Floats, drawn: _Floats) -> Comparison:
    difference = float(differences.mean())
    low, high = _bounds(drawn)
    changes = [Change(query, float(a), float(b)) for query, a, b, d in zip(queries, before, after, differences, strict=True) if d]
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    return Comparison(
        first=float(before.mean()),
        second=float(after.mean()),
        difference=difference,
        low=low,
        high=high,
        p=max(_p(difference, drawn), _smallest_p(len(queries))),
        wins=wins,
        ties=len(queries) - wins - losses,
        losses=losses,
        changes=tuple(sorted(changes, key=lambda change: (-round(abs(change.difference), 9), change.query))),
    )


def _p(difference: float, drawn: _Floats) -> float:
    """The observed sample counts as one, so that no p is 0 (Davison and Hinkley, "Bootstrap Methods and their Application", 4.2)."""
    as_far = np.abs(drawn - difference) >= abs(difference) - TIE
    return float((as_far.sum() + 1) / (len(drawn) + 1))


def _smallest_p(queries: int) -> float:
    """Of so few queries no test can tell more: the share of the ways to flip signs in which all point in one direction."""
    return float(2.0 ** (1 - queries))


def _bounds(drawn: _Floats) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)
