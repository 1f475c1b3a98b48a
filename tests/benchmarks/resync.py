"""How long it takes to find out that 5,000 documents have not changed."""

import os
import time
from pathlib import Path

from tests.benchmarks.corpus import ABSTRACTS
from tests.benchmarks.product import Product, SyncRun
from tests.benchmarks.report import Figure, Goal, Measured
from tests.benchmarks.world import World

ROUNDS = 2


def measure(world: World) -> Measured:
    product = world.main.product
    documents = world.main.documents(ABSTRACTS.source)
    product.sync(ABSTRACTS.source)  # what an interrupted benchmark may have left is settled first
    rounds = [_unchanged(product) for _ in range(ROUNDS)]
    stages = product.stage_seconds()
    touched = _touched(product, documents)
    figures = [
        Figure("re-sync, whole command", max(whole for _, whole in rounds), "s", Goal("at most", 10)),
        Figure("re-sync, its run", max(run.seconds for run, _ in rounds), "s", Goal("at most", 10)),
        Figure("re-sync of touched files of the same content, its run", touched.seconds, "s"),
    ]
    details = {
        "documents": len(documents),
        "rounds": [{"run": round(run.seconds, 2), "whole": round(whole, 2)} for run, whole in rounds],
        "stages in seconds": stages,
        "stages in seconds when touched": product.stage_seconds(),
        "counts": rounds[-1][0].counts,
        "counts when touched": touched.counts,
    }
    return Measured(figures, details)


def _unchanged(product: Product) -> tuple[SyncRun, float]:
    runs, whole = product.sync(ABSTRACTS.source)
    run = runs[0]
    if run.counts.get("published") or run.counts.get("parsed"):
        raise AssertionError(f"something was not unchanged: {run.counts}")
    return run, whole.seconds


def _touched(product: Product, documents: list[Path]) -> SyncRun:
    """Every file has a new time of modification, as after a fresh checkout, so each is read and compared."""
    now = time.time()
    for file in documents:
        os.utime(file, (now, now))
    runs, _ = product.sync(ABSTRACTS.source)
    if runs[0].counts["unchanged"] != len(documents):
        raise AssertionError(f"not every touched document was found unchanged: {runs[0].counts}")
    return runs[0]
