"""`make eval`: ranking figures on judged collections, from their test queries, of the product and of its peers.

Run as `python -m retrieval.evaluation.run`. Prints a table and writes into `reports`:

- `eval.json`: {collection: {configuration: {metric: mean}}}; `default` is the product with its settings
- `eval-significance.json`: {collection: {other configuration: {metric: how `default` compares with it}}}
- `eval.html`: the same as a page with plots
- `eval-environment.json`: where they were measured

The first run embeds the collections, which takes minutes; the embeddings are kept.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from retrieval.bootstrap import open_embedder
from retrieval.domain.errors import InvalidInput
from retrieval.evaluation.environment import environment
from retrieval.evaluation.judged import Split
from retrieval.evaluation.measuring import check_peers, measure
from retrieval.evaluation.peers.asking import processes
from retrieval.evaluation.peers.table import PEERS, peer_versions
from retrieval.evaluation.ranking import Progress
from retrieval.evaluation.report import table, write
from retrieval.evaluation.results import Measured
from retrieval.evaluation.vectors import VectorCache
from retrieval.settings import Settings

COLLECTIONS = ("scifact", "nfcorpus", "2wikimultihopqa", "clapnq_dev", "xquad_en")
REPORTS = Path("reports")
PEER_PROCESSES = 2
"""Peers asked at once."""
WIDTH = 120
"""Columns where no terminal says how many there are."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 2 when a collection or a peer's library is not there."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.evaluation.run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("collections", nargs="*", default=list(COLLECTIONS), help="folders of the evaluation directory")
    parser.add_argument("--split", type=Split, choices=list(Split), default=Split.TEST, help="which queries; report on test alone")
    parser.add_argument("--reports", type=Path, default=REPORTS, help="folder for eval.json and the others")
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS), help="which peers; none takes seconds")
    chosen = parser.parse_args(arguments)
    settings, console = Settings(), Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        measured = evaluate(settings, chosen.collections, chosen.split, peers=chosen.peers, console=console)
    except FileNotFoundError as error:
        console.print(f"not found: {error.filename}; the folder of judged collections is set by ARCHIVIST_EVALUATION_DIRECTORY")
        return 2
    except InvalidInput as error:
        console.print(str(error), markup=False)
        return 2
    where = {**environment(), **peer_versions(chosen.peers)}
    console.print(table(measured, caption=", ".join(f"{name} {value}" for name, value in where.items())))
    write(chosen.reports, measured, where)
    return 0


def evaluate(settings: Settings, collections: Sequence[str], split: Split, *, peers: Sequence[str], console: Console) -> Sequence[Measured]:
    """Every configuration and peer on every collection. Raises FileNotFoundError when one is not there, InvalidInput for a peer."""
    check_peers(peers)
    embedder = open_embedder(settings)
    cache = VectorCache(settings.evaluation_cache_directory, embedder)
    with shown_progress(console) as progress, processes(PEER_PROCESSES) as pool:
        return [
            measure(
                settings,
                settings.evaluation_directory / name,
                split,
                embedder=embedder,
                cache=cache,
                peers=peers,
                pool=pool,
                progress=progress,
            )
            for name in collections
        ]


@contextmanager
def shown_progress(console: Console) -> Iterator[Progress]:
    """A bar for what is being done, gone when it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("", visible=False)

        def told(doing: str, done: int, total: int) -> None:
            if done == 0:
                bars.reset(bar)
            bars.update(bar, description=doing, completed=done, total=total, visible=done < total)

        yield told


if __name__ == "__main__":
    sys.exit(main())
