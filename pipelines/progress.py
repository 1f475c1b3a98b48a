"""A progress bar over the ledger of runs, which any process may watch."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from retrieval.domain.errors import ArchivistError
from retrieval.domain.ingestion import RunProgress
from retrieval.ports.ingestion import RunLedger

POLL_SECONDS = 0.25


@contextmanager
def shown_progress(source: str, ledger: RunLedger, console: Console) -> Iterator[None]:
    """Show how far the newest run on the source is, until the block ends. Nothing is shown where nobody watches a terminal."""
    if not console.is_terminal:
        yield
        return
    ended = threading.Event()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        watcher = threading.Thread(target=_watch, args=(source, ledger, bar, ended), name="progress", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()


def _watch(source: str, ledger: RunLedger, bar: Progress, ended: threading.Event) -> None:
    task = bar.add_task(source, total=None)
    before = _newest(source, ledger)
    while not ended.wait(POLL_SECONDS):
        run = _newest(source, ledger)
        if run is not None and (run.finished_at is None or before is None or run.id != before.id):
            bar.update(task, description=f"{source}: {run.phase}", completed=run.done, total=run.total)


def _newest(source: str, ledger: RunLedger) -> RunProgress | None:
    with suppress(ArchivistError):
        return next(iter(ledger.runs(source, limit=1)), None)
    return None
