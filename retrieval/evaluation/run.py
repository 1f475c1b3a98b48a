"""`make eval`: ranking figures on judged collections, from their test queries, by the product's own parts.

Run as `python -m retrieval.evaluation.run`. Prints a table and writes `reports/eval.json`, {collection: {configuration: {metric: mean}}}.
The first run embeds the collections, which takes minutes; the embeddings are kept.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from retrieval.bootstrap import open_embedder
from retrieval.evaluation.environment import environment
from retrieval.evaluation.judged import Split
from retrieval.evaluation.metrics import METRICS
from retrieval.evaluation.ranking import Figures, configurations, open_collection
from retrieval.evaluation.vectors import VectorCache
from retrieval.settings import Settings

COLLECTIONS = ("scifact", "nfcorpus")
REPORTS = Path("reports")

Report = Mapping[str, Mapping[str, Figures]]
"""Collection to configuration to figures."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 2 when a collection is not there."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.evaluation.run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("collections", nargs="*", default=list(COLLECTIONS), help="folders of the evaluation directory")
    parser.add_argument("--split", type=Split, choices=list(Split), default=Split.TEST, help="which queries; report on test alone")
    parser.add_argument("--reports", type=Path, default=REPORTS, help="folder for eval.json")
    chosen = parser.parse_args(arguments)
    settings, console = Settings(), Console()
    try:
        report = evaluate(settings, chosen.collections, chosen.split, console)
    except FileNotFoundError as error:
        console.print(f"not found: {error.filename}; the folder of judged collections is set by ARCHIVIST_EVALUATION_DIRECTORY")
        return 2
    where = environment()
    console.print(table(report, caption=", ".join(f"{name} {value}" for name, value in where.items())))
    chosen.reports.mkdir(parents=True, exist_ok=True)
    _write(chosen.reports / "eval.json", report)
    _write(chosen.reports / "eval-environment.json", where)
    return 0


def evaluate(settings: Settings, collections: Sequence[str], split: Split, console: Console) -> Report:
    """The figures of every configuration on every collection. Raises FileNotFoundError when one is not there."""
    embedder = open_embedder(settings)
    cache = VectorCache(settings.evaluation_cache_directory, embedder)
    report: dict[str, Mapping[str, Figures]] = {}
    columns = (TextColumn("embedding {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        for name in collections:
            bar = shown.add_task(name, total=None, visible=False)

            def told(_name: str, done: int, total: int, bar: TaskID = bar) -> None:
                shown.update(bar, completed=done, total=total, visible=True)

            with open_collection(
                settings.evaluation_directory / name, embedder, cache, depth=settings.query_depth, progress=told
            ) as search:
                judged = search(split)
                report[name] = {configuration: judged.figures(rank) for configuration, rank in configurations(settings).items()}
    return report


def table(report: Report, *, caption: str) -> Table:
    """One row for each collection and configuration."""
    shown = Table("collection", "configuration", *METRICS, caption=caption)
    for collection, found in report.items():
        for configuration, figures in found.items():
            shown.add_row(collection, configuration, *(f"{figures[metric]:.4f}" for metric in METRICS))
        shown.add_section()
    return shown


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
