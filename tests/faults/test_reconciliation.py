"""After whatever happened to a source, catalog, index and graph hold what a catalog made today of the same documents would hold.

`ARCHIVIST_TEST_SEQUENCES=200` is the long form. The index is the embedded engine, past versions included.
"""

import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.adapters.catalog.tables import access_classes, document_versions, documents, entities, entity_names, mentions, passages
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.adapters.qdrant.payload import HeldPassage
from retrieval.indexing.follower import Follower
from retrieval.settings import Settings
from tests.faults.reconciled import Life
from tests.retrieval.indexing.world import InProcessBuilder, contents_of, held, owner_of
from tests.story import MODEL, Story
from tests.templates import lay_out

SEQUENCES = int(os.environ.get("ARCHIVIST_TEST_SEQUENCES", "4"))
STEPS = 10
IDENTITY = IndexIdentity(MODEL, 8)
PAST_DAYS = 30
ORPHANS = {
    "current versions that no document points at": "SELECT COUNT(*) FROM document_versions v JOIN documents d ON d.id = v.document "
    "WHERE v.state = 'current' AND (d.current_version IS NULL OR d.current_version <> v.id)",
    "current versions without an open interval": "SELECT COUNT(*) FROM document_versions v WHERE v.state = 'current' AND NOT EXISTS "
    "(SELECT 1 FROM validity i WHERE i.version = v.id AND i.valid_to IS NULL)",
    "open intervals of versions that are not current": "SELECT COUNT(*) FROM validity i JOIN document_versions v ON v.id = i.version "
    "WHERE i.valid_to IS NULL AND v.state <> 'current'",
    "facts of versions that nobody reads": "SELECT COUNT(*) FROM graph_documents g JOIN documents d ON d.id = g.document "
    "WHERE d.current_version IS NULL OR d.current_version <> g.version",
    "mentions in passages of no graph": "SELECT COUNT(*) FROM mentions m JOIN passages p ON p.id = m.passage "
    "WHERE p.version NOT IN (SELECT version FROM graph_documents)",
    "names that no passage says": "SELECT COUNT(*) FROM entity_names WHERE number NOT IN (SELECT name FROM mentions)",
    "entities without a name": "SELECT COUNT(*) FROM entities WHERE number NOT IN (SELECT entity FROM entity_names)",
}


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def make_catalog(tmp_path: Path, opened: ExitStack) -> Callable[[str], Catalog]:
    return lambda name: opened.enter_context(closing(open_catalog(Settings(catalog_url=f"sqlite:///{lay_out(tmp_path / name)}"))))


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_whatever_happened_all_agree_with_a_fresh_build(
    seed: int, make_catalog: Callable[[str], Catalog], tmp_path: Path, opened: ExitStack
):
    life = Life(Story(make_catalog("lived.db")), random.Random(seed))
    feed = CatalogFeed(life.catalog.database, MODEL, past_days=PAST_DAYS)
    index = opened.enter_context(closing(EdgeIndex.open(tmp_path / "index", IDENTITY)))
    owner_of(index, feed, InProcessBuilder(feed, IDENTITY)).rebuild()
    follower = Follower(feed, index, batch_documents=3)
    done: list[str] = []

    for _ in range(STEPS):
        done.append(life.step())
        if life.drawn.random() < 0.4:
            follower.catch_up(None)
    follower.catch_up(None)

    fresh = Story(make_catalog("fresh.db"))
    fresh.relate(fresh.sync(life.model.files))
    assert readable(life.catalog) == readable(fresh.catalog), done
    assert facts(life.catalog) == facts(fresh.catalog), done
    assert counted(life.catalog) == counted(fresh.catalog), done
    assert {name: count for name, count in orphans(life.catalog).items() if count} == {}, done
    with feed.snapshot() as (_, whole):
        assert comparable(contents_of(index)) == comparable(held(list(whole))), done


def readable(catalog: Catalog) -> set[tuple[object, ...]]:
    """Every passage that is current: its document, place and text, and who may read it."""
    policies = select(
        passages.c.ordinal, passages.c.text_hash, passages.c.embedded_hash, documents.c.id, access_classes.c.fingerprint, documents.c.key
    )
    of_current = (
        policies.join(document_versions, document_versions.c.id == passages.c.version)
        .join(documents, documents.c.current_version == document_versions.c.id)
        .join(access_classes, access_classes.c.id == documents.c.access_class)
        .where(document_versions.c.state == "current")
    )
    with catalog.database.read() as connection:
        return {tuple(row) for row in connection.execute(of_current)}


def facts(catalog: Catalog) -> set[tuple[object, ...]]:
    """Every mention in the graph: in which document and passage, of what, under which name."""
    columns = (document_versions.c.document, passages.c.ordinal, entities.c.id, entity_names.c.name, mentions.c.kind)
    said = (
        select(*columns)
        .select_from(mentions)
        .join(passages, passages.c.id == mentions.c.passage)
        .join(document_versions, document_versions.c.id == passages.c.version)
        .join(entity_names, entity_names.c.number == mentions.c.name)
        .join(entities, entities.c.number == entity_names.c.entity)
    )
    with catalog.database.read() as connection:
        return {tuple(row) for row in connection.execute(said)}


def counted(catalog: Catalog) -> dict[str, int]:
    """How many passages each policy's readers may search."""
    sums = select(access_classes.c.fingerprint, func.sum(access_classes.c.passages)).group_by(access_classes.c.fingerprint)
    with catalog.database.read() as connection:
        return {fingerprint: int(count) for fingerprint, count in connection.execute(sums) if count}


def orphans(catalog: Catalog) -> dict[str, int]:
    with catalog.database.read() as connection:
        return {name: int(connection.scalar(text(query)) or 0) for name, query in ORPHANS.items()}


def comparable(points: Mapping[str, HeldPassage]) -> dict[str, object]:
    """Whole points, their vectors to four digits."""

    def of(point: HeldPassage) -> tuple[object, ...]:
        said = {name: value for name, value in vars(point).items() if name != "passage"}
        passage = point.passage
        vector = tuple(round(float(number), 4) for number in passage.vector)
        return (*said.items(), passage.id, passage.ordinal, passage.text, passage.prefix, vector)

    return {id_: of(point) for id_, point in points.items()}
