"""How long it takes to find out what a principal of 10,000 groups may read: 20,000 of 40,000 access classes. A part of `authorisation`.

Anew each time, as after every change of who may read what, and remembered. On SQLite, and on PostgreSQL where that is installed.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import insert, text

from retrieval.adapters.catalog.authority import AccessDefaults, Authority
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.engine import next_revision
from retrieval.adapters.catalog.gate import CatalogGate
from retrieval.adapters.catalog.tables import access_classes, grants, memberships
from retrieval.domain.permissions import Principal
from retrieval.settings import Settings
from tests import postgres
from tests.benchmarks.report import Figure, Goal
from tests.permissions.askings import OWNER, spec_of
from tests.permissions.oracle import Folder

READER = Principal("reader")
GROUPS, CLASSES_PER_GROUP = 10_000, 2
COLD, WARM = 40, 400


def resolving(directory: Path) -> Iterator[Figure]:
    """Figures of each database."""
    yield from _resolve("SQLite", open_catalog(Settings(data_directory=directory)))
    with _postgres() as catalog:
        if catalog is not None:
            yield from _resolve("PostgreSQL", catalog)


def milliseconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def _resolve(name: str, catalog: Catalog) -> Iterator[Figure]:
    try:
        _grant_much(catalog)
        anew = CatalogGate(catalog.database, Authority(catalog.database, AccessDefaults(remembered=0)))
        first = milliseconds(lambda: anew.scope(READER))
        if len(anew.scope(READER).classes) != GROUPS * CLASSES_PER_GROUP:
            raise AssertionError("the reader has other classes than were granted")
        cold = [milliseconds(lambda: anew.scope(READER)) for _ in range(COLD)]
        catalog.gate.scope(READER)
        warm = [milliseconds(lambda: catalog.gate.scope(READER)) for _ in range(WARM)]
    finally:
        catalog.close()
    yield Figure(f"10,000 groups, resolved anew, p50, {name}", statistics.median(cold), "ms", Goal("at most", 50))
    yield Figure(f"10,000 groups, resolved anew, slowest, {name}", max(cold), "ms")
    yield Figure(f"10,000 groups, resolved anew, first of all, {name}", first, "ms")
    yield Figure(f"10,000 groups, remembered, p50, {name}", statistics.median(warm), "ms", Goal("at most", 1))


def _grant_much(catalog: Catalog) -> None:
    """The reader's groups open two classes each; as many classes are other groups'."""
    catalog.sources.register(spec_of("much", Folder()), by=OWNER)
    groups = [f"group:g{number:05}" for number in range(GROUPS)] + [f"group:h{number:05}" for number in range(GROUPS)]
    subjects = [group for group in groups for _ in range(CLASSES_PER_GROUP)]
    with catalog.database.write() as connection:
        next_revision(connection)
        rows = [{"id": n, "source": "much", "fingerprint": f"{n:064}", "passages": 1} for n in range(1, len(subjects) + 1)]
        connection.execute(insert(access_classes), rows)
        granted = [{"access_class": n, "effect": "allow", "subject": subject} for n, subject in enumerate(subjects, 1)]
        connection.execute(insert(grants), granted)
        mine = [{"member": READER.subject, "group": group, "managed_by": "cli"} for group in groups[:GROUPS]]
        connection.execute(insert(memberships), mine)
    if not catalog.database.is_sqlite:
        with catalog.database.write() as connection:
            connection.execute(text("ANALYZE"))  # as autovacuum does by itself a minute later


@contextmanager
def _postgres() -> Iterator[Catalog | None]:
    if postgres.missing() is not None:
        yield None
        return
    with postgres.cluster() as server:
        with psycopg.connect(server.replace("+psycopg", "") + "/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE measured")
        yield open_catalog(Settings(catalog_url=f"{server}/measured"))
