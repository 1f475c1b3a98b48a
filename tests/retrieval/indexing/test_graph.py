"""Following the catalog's graph: what is applied, and that nobody is shown an older graph than their permissions."""

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.graph.memory import MemoryGraph
from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.graph import entity_id
from retrieval.indexing.graph import FollowingGraph, GraphFollower
from retrieval.ports.graph_search import entity_number
from tests.retrieval.graph.world import Feed, document, passage, scope_of
from tests.story import ANN, BOB, PUBLIC, Story, allow

ANN_LEE = entity_number(entity_id("Ann Lee"))


def following(feed: Feed, *, seconds: float = 1.0) -> tuple[FollowingGraph, GraphFollower]:
    graph = MemoryGraph()
    follower = GraphFollower(feed, graph, batch_documents=10)
    return FollowingGraph(graph, follower, graph.applied_revision, seconds), follower


def test_it_loads_once_and_then_applies_what_changed():
    feed = Feed(document("Ann Lee", "x"))
    graph, follower = following(feed)
    follower.follow()
    feed.change(document("Bo Ray", "He met Ann Lee."))
    feed.change(document("Ann Lee"))

    follower.follow()

    view = graph.view(scope_of(1, revision=3))
    assert view.counts([ANN_LEE]) == {ANN_LEE: 1}
    assert view.mentions(passage("Ann Lee")) == ()


def test_a_view_catches_up_with_its_scope_before_it_is_given():
    feed = Feed(document("Ann Lee", "x"))
    graph, follower = following(feed)
    follower.follow()
    feed.change(document("Ann Lee", "x", access_class=2), access_only=True)

    assert graph.view(scope_of(1, revision=feed.at)).counts([ANN_LEE]) == {}
    assert graph.view(scope_of(2, revision=feed.at)).counts([ANN_LEE]) == {ANN_LEE: 1}


@pytest.mark.permissions
def test_a_graph_behind_the_scope_is_refused():
    feed = Feed(document("Ann Lee", "x"))
    graph, follower = following(feed, seconds=0.0)
    with pytest.raises(IndexUnavailable):
        graph.view(scope_of(1))
    follower.follow()
    graph.view(scope_of(1))
    feed.change(document("Ann Lee", "x", access_class=2), access_only=True)

    with pytest.raises(IndexUnavailable):
        graph.view(scope_of(1, revision=feed.at))


def test_a_restored_catalog_is_read_anew():
    feed = Feed(document("Ann Lee", "x"))
    feed.at = 9
    graph, follower = following(feed)
    follower.follow()
    feed.at, feed.held = 4, {}

    follower.follow()

    assert graph.view(scope_of(1, revision=4)).counts([ANN_LEE]) == {}
    assert graph.applied_revision() == 4


@pytest.mark.permissions
def test_over_the_catalog_a_scope_sees_the_mentions_that_it_may_read(catalog: Catalog):
    story = Story(catalog)
    files = {"a": ("They met Ann Lee there.", PUBLIC), "b": ("They met Ann Lee too.", allow("user:bob"))}
    story.relate(story.sync(files))
    graph = MemoryGraph()
    follower = GraphFollower(catalog.graph_feed, graph, batch_documents=10)
    shown = FollowingGraph(graph, follower, graph.applied_revision, 1.0)
    follower.follow()

    assert [shown.view(catalog.gate.scope(who)).counts([ANN_LEE]) for who in (ANN, BOB)] == [{ANN_LEE: 1}, {ANN_LEE: 2}]

    story.relate(story.sync(files | {"b": ("They met Ann Lee too.", PUBLIC)}))
    assert shown.view(catalog.gate.scope(ANN)).counts([ANN_LEE]) == {ANN_LEE: 2}

    story.relate(story.sync({"b": ("They met nobody.", PUBLIC)}))
    assert shown.view(catalog.gate.scope(ANN)).counts([ANN_LEE]) == {}
