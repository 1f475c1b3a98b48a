"""Another embedding model becomes live, and is taken back, while queries run: `python -m tests.benchmarks.model_switch [--small]`.

A service as `archivist serve` opens it, in this process, over 20,000 passages; two threads ask without pause. The models are planted:
equally long vectors that depend on the model's name, so that every hit's dense score tells by whose vectors it was found. What embedding
by a real model takes is no part of it. Writes `reports/model_switch.json`.
"""

import argparse
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import event

from pipelines.stages.backfill import Stores, backfill
from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.bootstrap import Service, begin_with_settings
from retrieval.domain.errors import Conflict, Unavailable
from retrieval.evaluation.environment import environment
from retrieval.settings import Settings
from tests.story import Story
from tests.switching import DIMENSIONS, EMBEDDERS, LIVE, OTHER, WORDS, Querying, asking, candidate, files, good, load, serving, sync

BY = "user:benchmark"
PASSAGES, SMALL = 20_000, 600
QUERIES = [f"{one} {other} {number}" for number, (one, other) in enumerate(zip(WORDS, reversed(WORDS), strict=True))]
THREADS = 2
SETTLING_SECONDS = 5.0
"""How long is asked on after each switch."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help=f"{SMALL} passages, for trying it")
    passages = SMALL if parser.parse_args().small else PASSAGES
    with TemporaryDirectory(prefix="model-switch-") as directory:
        figures = measure(Settings(data_directory=Path(directory)), passages)
    report = {"passages": passages, "dimensions": DIMENSIONS, **figures, "environment": environment()}
    Path("reports").mkdir(exist_ok=True)
    Path("reports/model_switch.json").write_text(json.dumps(report, indent=2))
    json.dump(report, sys.stdout, indent=2)


def measure(settings: Settings, passages: int) -> dict[str, object]:
    _fill(settings, passages // 2)
    with serving(settings) as service:
        ask, models = _timed(asking(service)), service.catalog.embedding_models
        _until(lambda: service.index_readiness()[0])
        querying = Querying(ask, QUERIES)
        with querying.running(THREADS):
            time.sleep(SETTLING_SECONDS)
            alone = len(querying.answered)
            began = time.monotonic()
            models.register(candidate())
            stores = Stores(models, service.catalog.embeddings)
            backfill(stores, EMBEDDERS[OTHER], by=BY, window=512)
            embedded = time.monotonic()
            models.judge(OTHER, good(), by=BY)
            _until(lambda: _is_promoted(service))
            promoted = time.monotonic()
            _until(lambda: OTHER in querying.told())
            seen = time.monotonic()
            time.sleep(SETTLING_SECONDS)
            reversing = time.monotonic()
            models.reverse(by=BY)
            reversed_ = time.monotonic()
            _until(lambda: querying.answered[-1][0] == LIVE)
            back = time.monotonic()
            time.sleep(SETTLING_SECONDS)
    milliseconds = sorted(ask.milliseconds[alone:])
    return {
        "queries": len(querying.answered) + len(querying.failed),
        "failed": len(querying.failed),
        "mixed": len(querying.mixed),
        "by_model": {model: sum(told == model for told, _ in querying.answered) for model in (LIVE, OTHER)},
        "seconds_of_backfill": round(embedded - began, 2),
        "seconds_until_every_reader_was_ready": round(promoted - embedded, 2),
        "milliseconds_from_promotion_to_the_first_answer_by_it": round(1_000 * (seen - promoted), 1),
        "milliseconds_of_the_reversal": round(1_000 * (reversed_ - reversing), 1),
        "milliseconds_from_reversal_to_an_answer_by_the_old_model": round(1_000 * (back - reversed_), 1),
        "milliseconds_of_a_query_alone_p50": round(statistics.median(ask.milliseconds[:alone]), 1),
        "milliseconds_of_a_query_meanwhile_p50": round(statistics.median(milliseconds), 1),
        "milliseconds_of_a_query_meanwhile_p99": round(milliseconds[int(0.99 * len(milliseconds))], 1),
    }


class _timed:  # noqa: N801 - reads as a verb
    """The same question, with its time kept."""

    def __init__(self, ask: Callable[[str], tuple[str, set[str]]]) -> None:
        self._ask = ask
        self.milliseconds: list[float] = []

    def __call__(self, text: str) -> tuple[str, set[str]]:
        began = time.perf_counter()
        found = self._ask(text)
        self.milliseconds.append(1_000 * (time.perf_counter() - began))
        return found


def _fill(settings: Settings, documents: int) -> None:
    catalog = open_catalog(settings)
    event.listen(catalog.database.engine, "connect", _without_waiting_for_the_disk)
    catalog.database.engine.dispose()
    begin_with_settings(settings, catalog, load)
    sync(catalog, Story(catalog, model=LIVE, dimensions=DIMENSIONS), files(documents), LIVE)
    catalog.close()


def _without_waiting_for_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def _is_promoted(service: Service) -> bool:
    try:
        service.catalog.embedding_models.promote(OTHER, by=BY)
    except (Conflict, Unavailable):
        return False
    return True


def _until(condition: Callable[[], object], *, seconds: float = 1_800.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not happen in time")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
