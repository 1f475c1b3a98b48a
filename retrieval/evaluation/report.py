"""Figures as a table and as files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from retrieval.evaluation.comparison import Comparison, written_p
from retrieval.evaluation.metrics import SHOWN
from retrieval.evaluation.page import METRIC, render
from retrieval.evaluation.results import Measured


def table(measured: Sequence[Measured], *, caption: str) -> Table:
    """One row for each collection and configuration. `p`: of the difference between `default` and that row, with a star below 5 %."""
    shown = Table("collection", "configuration", *SHOWN, "p", caption=caption)
    for one in measured:
        significance = one.significance((METRIC,))
        for configuration, figures in one.figures().items():
            p = written_p(significance[configuration][METRIC].p) if configuration in significance else ""
            shown.add_row(one.collection, configuration, *(f"{figures[metric]:.4f}" for metric in SHOWN), p)
        shown.add_section()
    return shown


def write(directory: Path, measured: Sequence[Measured], where: Mapping[str, str]) -> None:
    """`eval.json`, `eval-significance.json`, `eval-environment.json` and `eval.html`, each replaced whole."""
    directory.mkdir(parents=True, exist_ok=True)
    _write_json(directory / "eval.json", {one.collection: one.figures() for one in measured})
    _write_json(directory / "eval-significance.json", {one.collection: _significance(one) for one in measured})
    _write_json(directory / "eval-environment.json", where)
    (directory / "eval.html").write_text(render(measured, title="Ranking on judged collections", where=where), encoding="utf-8")


def described(comparison: Comparison) -> dict[str, float | int]:
    """A comparison as JSON, without its queries."""
    return {
        "difference": comparison.difference,
        "low": comparison.low,
        "high": comparison.high,
        "p": comparison.p,
        "wins": comparison.wins,
        "ties": comparison.ties,
        "losses": comparison.losses,
    }


def _significance(measured: Measured) -> dict[str, dict[str, dict[str, float | int]]]:
    compared = measured.significance(SHOWN)
    return {name: {metric: described(found) for metric, found in metrics.items()} for name, metrics in compared.items()}


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
