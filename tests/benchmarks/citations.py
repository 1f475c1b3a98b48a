"""What keeping and checking citations costs, beside an entry of the audit log: `python -m tests.benchmarks.citations`.

Real catalog, SQLite, 100,000 receipts kept before.
"""

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.domain.answers import Citation
from retrieval.domain.audit import AuditAction, AuditEntry
from retrieval.domain.documents import Span
from retrieval.settings import Settings
from tests.story import ANN, PUBLIC, Story

KEPT_BEFORE = 100_000
CITED = 5
TIMES = 300


def main() -> None:
    with TemporaryDirectory() as directory:
        catalog = open_catalog(Settings(data_directory=Path(directory)))
        story = Story(catalog)
        story.sync({"a.md": ("Leave is 26 weeks. " * 400, PUBLIC)})
        [_, rest] = sorted(story.gated(ANN).readable, key=lambda passage: passage.ordinal)
        citations = [Citation.of(rest, within=Span(at, at + 18)) for at in range(5_000)]
        for start in range(0, KEPT_BEFORE, len(citations)):
            catalog.citations.keep(ANN, citations, request_id=f"r{start}")
        keeping, checking, recording = [], [], []
        for number in range(TIMES):
            some = citations[number * CITED : (number + 1) * CITED]
            started = time.perf_counter()
            catalog.citations.keep(ANN, some, request_id="r")
            kept = time.perf_counter()
            catalog.citations.check(ANN, some[0].id)
            keeping.append(kept - started)
            checked = time.perf_counter()
            catalog.audit.record(AuditEntry(AuditAction.ANSWER, ANN.subject, query="How long?"))
            checking.append(checked - kept)
            recording.append(time.perf_counter() - checked)
        catalog.close()
    for name, seconds in ((f"keep {CITED} receipts", keeping), ("check one", checking), ("record an answer without documents", recording)):
        print(f"{name}: {1e3 * median(seconds):.2f} ms")


if __name__ == "__main__":
    main()
