"""What the audit log costs: `.venv/bin/python -m tests.benchmarks.audit`.

Milliseconds for one read that records itself, beside those of a bare durable commit of as many bytes; and records a second for several
threads at once, together in one commit and each in its own. `ARCHIVIST_CATALOG_URL` measures another database than a new SQLite file.
"""

import os
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.tables import audit
from retrieval.domain.audit import AuditAction, AuditedDocument, AuditEntry
from retrieval.settings import Settings

READS = 1_000
RECORDS = 4_000
THREADS = (1, 4, 16)
HITS = 10


def entry(number: int) -> AuditEntry:
    """A retrieval of ten passages of ten documents: the largest that a caller gets without asking for more."""
    documents = tuple(
        AuditedDocument(f"doc_{number * 7 % 5_000 + hit:024}", f"ver_{hit:024}", hit, passages=((f"{hit:036}", f"{hit:064}"),))
        for hit in range(HITS)
    )
    return AuditEntry(
        AuditAction.RETRIEVE,
        f"user:person{number % 100}",
        documents=documents,
        revision=1,
        index_revision=1,
        request_id=f"{number:016x}",
        model="sentence-transformers/all-MiniLM-L6-v2",
        query="How many days may I work from another country?",
        details={"top_k": HITS},
    )


def milliseconds(act: Callable[[int], object], times: int) -> list[float]:
    taken = []
    for number in range(times):
        started = time.perf_counter()
        act(number)
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def per_second(act: Callable[[int], object], *, threads: int) -> float:
    each = RECORDS // threads

    def work(first: int) -> None:
        for number in range(first, first + each):
            act(number)

    running = [threading.Thread(target=work, args=(n * each,)) for n in range(threads)]
    started = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return each * threads / (time.perf_counter() - started)


def bare_commit(directory: Path, size_bytes: int) -> Callable[[int], object]:
    connection = sqlite3.connect(directory / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE bare (bytes TEXT)")
    return lambda _number: connection.execute("INSERT INTO bare VALUES (?)", ("x" * size_bytes,))


def alone(catalog: Catalog) -> Callable[[int], object]:
    """Every record in a transaction of its own, as if nobody waited together."""

    def record(number: int) -> None:
        with catalog.database.write() as connection:
            append(connection, entry(number), at=catalog.database.now())

    return record


def show(name: str, taken: list[float]) -> None:
    cuts = statistics.quantiles(taken, n=100)
    print(f"{name:<44}p50 {cuts[49]:.3f} ms   p95 {cuts[94]:.3f} ms   p99 {cuts[98]:.3f} ms")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        catalog = open_catalog(Settings(data_directory=Path(directory)))
        catalog.audit.record(entry(0))
        with catalog.database.read() as connection:
            size_bytes = len(connection.scalars(select(audit.c.record).limit(1)).one().encode())
        print(f"{catalog.database.engine.dialect.name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {size_bytes} bytes a record")
        show("a bare durable commit of as many bytes", milliseconds(bare_commit(Path(directory), size_bytes), READS))
        show("a read's record (added to the read)", milliseconds(lambda number: catalog.audit.record(entry(number)), READS))
        for threads in THREADS:
            together = per_second(lambda number: catalog.audit.record(entry(number)), threads=threads)
            apart = per_second(alone(catalog), threads=threads)
            print(f"{threads:>2} threads: {together:,.0f} records/s in common commits, {apart:,.0f} each in its own")
        catalog.close()


if __name__ == "__main__":
    main()
