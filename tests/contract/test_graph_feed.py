"""Whoever follows the graph from the outbox holds what one that reads it whole would hold, on SQLite and on PostgreSQL."""

import random

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.ports.graph import GraphDocument
from retrieval.ports.writing import Change
from tests.story import PUBLIC, Story, allow

pytestmark = pytest.mark.contract

TEXTS = [f"The pump raises ERR-{n}. It was drawn by Ada Lovelace." for n in range(1000, 1006)]


class Follower:
    """The smallest graph in memory: the documents that it was told of."""

    def __init__(self, catalog: Catalog) -> None:
        self._feed = catalog.graph_feed
        self.revision = 0
        self.held: dict[str, GraphDocument] = {}

    def follow(self, *, limit: int) -> list[Change]:
        told: list[Change] = []
        while changes := self._feed.changes(self.revision, limit=limit):
            told += changes
            for document in self._feed.documents([change.document for change in changes]):
                self.held[document.document] = document
            self.revision = changes[-1].revision
        return told

    @property
    def graph(self) -> dict[str, GraphDocument]:
        return {id_: document for id_, document in self.held.items() if document.passages}


def whole(catalog: Catalog) -> dict[str, GraphDocument]:
    with catalog.graph_feed.snapshot() as (revision, documents):
        assert revision == catalog.graph_feed.revision()
        return {document.document: document for document in documents}


@pytest.fixture
def story(catalog: Catalog) -> Story:
    return Story(catalog)


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_following_and_reading_the_whole_are_the_same(story: Story, catalog: Catalog, limit: int):
    drawn = random.Random(7)
    follower = Follower(catalog)
    files: dict[str, tuple[str, object]] = {}
    for _ in range(12):
        for key in drawn.sample("abcdef", 2):
            policy = drawn.choice((PUBLIC, allow("group:board")))
            files[key] = (drawn.choice(TEXTS), policy)
        files.pop(drawn.choice("abcdef"), None)
        run = story.sync(files)  # type: ignore[arg-type]
        if drawn.random() < 0.5:
            follower.follow(limit=limit)
        story.relate(run, batch=2)
        if drawn.random() < 0.7:
            follower.follow(limit=limit)
    follower.follow(limit=limit)

    assert follower.graph == whole(catalog)


def test_a_change_of_permissions_alone_is_told_as_that(story: Story, catalog: Catalog):
    story.relate(story.sync({"a": (TEXTS[0], PUBLIC)}))
    follower = Follower(catalog)
    follower.follow(limit=10)
    before = follower.graph[story.document("a")]

    story.relate(story.sync({"a": (TEXTS[0], allow("group:board"))}))
    told = follower.follow(limit=10)

    assert [(change.document, change.access_only) for change in told] == [(story.document("a"), True)]
    after = follower.graph[story.document("a")]
    assert after.access_class != before.access_class
    assert after.passages == before.passages


def test_a_new_version_takes_the_old_facts_away_before_its_own_are_found(story: Story, catalog: Catalog):
    story.relate(story.sync({"a": (TEXTS[0], PUBLIC)}))
    follower = Follower(catalog)
    follower.follow(limit=10)

    run = story.sync({"a": (TEXTS[1], PUBLIC)})
    follower.follow(limit=10)
    between = dict(follower.graph)
    story.relate(run)
    follower.follow(limit=10)

    assert between == {}
    assert follower.graph == whole(catalog) != {}


def test_a_revision_is_never_cut_in_two(story: Story, catalog: Catalog):
    story.relate(story.sync(dict.fromkeys("abcdef", (TEXTS[0], PUBLIC))))

    first = catalog.graph_feed.changes(0, limit=2)

    assert len(first) == 6
    assert len({change.revision for change in first}) == 1


def test_unknown_and_withdrawn_documents_come_without_passages(story: Story, catalog: Catalog):
    story.relate(story.sync({"a": (TEXTS[0], PUBLIC)}))
    story.relate(story.sync({}))

    gone, unknown = catalog.graph_feed.documents([story.document("a"), "doc_unknown"])

    assert (gone.passages, unknown.passages) == ((), ())
