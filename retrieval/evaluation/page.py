"""A report as one static HTML page: no script, no request to anywhere, light and dark, readable on a phone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from retrieval.evaluation.comparison import Change, Comparison, interval, written_p
from retrieval.evaluation.metrics import METRICS, SHOWN
from retrieval.evaluation.plots import bars, changes_plot, curves
from retrieval.evaluation.ranking import Figures
from retrieval.evaluation.results import DEFAULT, Measured

METRIC = "ndcg@10"
"""What bars, wins and losses are of."""
SHOWN_CHANGES = 10
"""Queries listed of those that gained most, and of those that lost most."""
_RECALLS = {int(name.partition("@")[2]): name for name in METRICS if name.startswith("recall@")}


@dataclass(frozen=True)
class _Rival:
    """The best of the others, against which the product's wins and losses are shown."""

    name: str
    comparison: Comparison
    plot: Markup
    gains: Sequence[tuple[str, Change]]
    losses: Sequence[tuple[str, Change]]


@dataclass(frozen=True)
class _Section:
    name: str
    split: str
    queries: int
    figures: Mapping[str, Figures]
    significance: Mapping[str, Mapping[str, Comparison]]
    bars: Markup
    curves: Markup
    rival: _Rival | None


def render(measured: Sequence[Measured], *, title: str, where: Mapping[str, str]) -> str:
    """The page.

    Args:
        measured: one section each.
        title: of the page.
        where: what the figures were measured with, by name.
    """
    environment = Environment(loader=PackageLoader("retrieval.evaluation"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["written_p"] = written_p
    template = environment.get_template("report.html.jinja")
    sections = [_section(one) for one in measured]
    return template.render(title=title, where=where, sections=sections, metrics=SHOWN, metric=METRIC, default=DEFAULT)


def _section(measured: Measured) -> _Section:
    figures = measured.figures()
    significance = measured.significance((METRIC,))
    rows = [(name, figures[name][METRIC], *interval(scores[METRIC])) for name, scores in measured.scores.items()]
    recalls = {name: {rank: found[metric] for rank, metric in _RECALLS.items()} for name, found in figures.items()}
    return _Section(
        measured.collection,
        measured.split,
        len(measured.texts),
        figures,
        significance,
        bars(rows, strong=DEFAULT),
        curves(recalls, strong=DEFAULT),
        _rival(measured, figures, significance),
    )


def _rival(measured: Measured, figures: Mapping[str, Figures], significance: Mapping[str, Mapping[str, Comparison]]) -> _Rival | None:
    if not significance:
        return None
    name = max(significance, key=lambda other: figures[other][METRIC])
    comparison = significance[name][METRIC]
    gained = [change for change in comparison.changes if change.difference > 0][:SHOWN_CHANGES]
    lost = [change for change in comparison.changes if change.difference < 0][:SHOWN_CHANGES]
    return _Rival(
        name,
        comparison,
        changes_plot(comparison.changes, queries=comparison.queries),
        [(measured.texts[change.query], change) for change in gained],
        [(measured.texts[change.query], change) for change in lost],
    )
