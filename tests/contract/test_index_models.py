"""An index that holds the vectors of several models, over the embedded engine and a Qdrant client: each is searched by itself alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.adapters.qdrant.server import QdrantServerIndex
from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.passages import IndexedDocument
from retrieval.indexing.owner import IndexOwner
from retrieval.indexing.remote import bring_up
from retrieval.ports.reading import LegSearch
from tests.retrieval.indexing.adapters import ADAPTERS
from tests.retrieval.indexing.world import FakeChangeFeed, InProcessBuilder, contents_of, document, held, scope_of, vector_of

pytestmark = [
    pytest.mark.contract,
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
]
ONE, OTHER = "one@1", "other@1"
ALONE = IndexIdentity(ONE, 8)
BOTH = IndexIdentity(ONE, 8, beside=((OTHER, 12),))
OTHER_LEADS = IndexIdentity(OTHER, 12, beside=((ONE, 8),))


@contextmanager
def switching(adapter: str, directory: Path, feed: FakeChangeFeed) -> Iterator[object]:
    """A way to (re)open the index with another identity, brought up to the feed."""
    if adapter == "server":
        client = QdrantClient(":memory:")

        def server(identity: IndexIdentity) -> QdrantServerIndex:
            index = QdrantServerIndex(client, "archivist", identity)
            bring_up(feed, index, batch_documents=2)
            return index

        yield server
        client.close()
        return
    opened: list[EdgeIndex] = []

    def edge(identity: IndexIdentity) -> EdgeIndex:
        if not opened:
            opened.append(EdgeIndex.open(directory, identity))
        index = opened[0]
        index.want(identity)
        if index.needs_build or index.lacks_models:
            IndexOwner(feed, index, InProcessBuilder(feed, identity), batch_documents=2, renew_after_passages=10**6).rebuild()
        return index

    yield edge
    opened[0].close()


@pytest.fixture(params=ADAPTERS)
def feed(request: pytest.FixtureRequest) -> FakeChangeFeed:
    made = FakeChangeFeed()
    made.adapter = request.param  # type: ignore[attr-defined]
    return made


def test_a_model_is_added_beside_another_and_each_is_searched_alone(feed: FakeChangeFeed, tmp_path: Path) -> None:
    lantern, ledger = with_both(document("a", "lantern")), with_both(document("b", "ledger"))
    feed.publish(lantern, ledger)
    with switching(feed.adapter, tmp_path / "index", feed) as opening:  # type: ignore[attr-defined]
        index = opening(ALONE)  # type: ignore[operator]
        assert (index.holds(ONE), index.holds(OTHER)) == (True, False)
        with pytest.raises(IndexUnavailable):
            index.search(scope_of(1), LegSearch("", other_vector("lantern"), 5, model=OTHER))

        index = opening(BOTH)  # type: ignore[operator]

        assert (index.holds(ONE), index.holds(OTHER)) == (True, True)
        by_one = index.search(scope_of(1), LegSearch("", vector_of("lantern"), 5, model=ONE)).dense.hits
        by_other = index.search(scope_of(1), LegSearch("", other_vector("ledger"), 5, model=OTHER)).dense.hits
        assert (by_one[0].passage, by_one[0].score) == (lantern.passages[0].id, pytest.approx(1.0))
        assert (by_other[0].passage, by_other[0].score) == (ledger.passages[0].id, pytest.approx(1.0))
        id_ = lantern.passages[0].id
        assert list(index.vectors(scope_of(1), [id_], model=OTHER)[id_]) == pytest.approx(other_vector("lantern"))
        assert list(index.vectors(scope_of(1), [id_], model=ONE)[id_]) == pytest.approx(vector_of("lantern"))
        assert contents_of(index) == held([lantern, ledger])
        assert not opening(OTHER_LEADS).holds("third@1")  # type: ignore[operator]


def test_a_passage_that_one_model_has_not_embedded_is_found_by_the_other_and_by_its_words(feed: FakeChangeFeed, tmp_path: Path) -> None:
    with switching(feed.adapter, tmp_path / "index", feed) as opening:  # type: ignore[attr-defined]
        index = opening(BOTH)  # type: ignore[operator]
        late = document("late", "violin")
        only_one = replace(late, passages=tuple(replace(each, vectors={ONE: each.vector}) for each in late.passages))

        index.replace([only_one])

        search = LegSearch("violin", other_vector("violin"), 5, model=OTHER)
        before = index.search(scope_of(1), search)
        assert (len(before.lexical.hits), len(before.dense.hits)) == (1, 0)
        assert len(index.search(scope_of(1), LegSearch("", vector_of("violin"), 5, model=ONE)).dense.hits) == 1
        assert index.vectors(scope_of(1), [late.passages[0].id], model=OTHER) == {}
        index.replace([with_both(late)])
        assert len(index.search(scope_of(1), search).dense.hits) == 1


@pytest.mark.parametrize(
    ("wanted", "found", "serves", "lacks"),
    [
        pytest.param(ALONE, BOTH, True, False, id="more than wanted"),
        pytest.param(BOTH, ALONE, True, True, id="less than wanted"),
        pytest.param(OTHER_LEADS, BOTH, True, False, id="the other leads"),
        pytest.param(OTHER_LEADS, ALONE, False, True, id="not the live one"),
        pytest.param(ALONE, IndexIdentity(ONE, 9), False, True, id="another length"),
        pytest.param(ALONE, IndexIdentity(ONE, 8, contract=1), False, False, id="another contract"),
    ],
)
def test_an_index_serves_as_soon_as_it_holds_the_live_model(
    wanted: IndexIdentity, found: IndexIdentity, *, serves: bool, lacks: bool
) -> None:
    assert (wanted.difference(found.as_json()) is None) is serves
    assert wanted.lacks(found) is lacks
    assert IndexIdentity.of_json(found.as_json()) == found


def other_vector(text: str) -> tuple[float, ...]:
    return vector_of(f"other {text}", 12)


def with_both(state: IndexedDocument) -> IndexedDocument:
    return replace(
        state,
        passages=tuple(replace(each, vectors={ONE: each.vector, OTHER: other_vector(each.text)}) for each in state.passages),
    )
