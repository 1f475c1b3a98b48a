"""What the server adapter asks of a server: the requests as JSON, outages, rebuilding behind an alias."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from qdrant_client import QdrantClient

from retrieval.adapters.qdrant.collection import IndexIdentity, vector_name
from retrieval.adapters.qdrant.planner import ACORN_BELOW, EF, DenseLimits, GraphStep, Measured
from retrieval.adapters.qdrant.server import QdrantServerIndex
from retrieval.domain.errors import IndexUnavailable
from retrieval.indexing.remote import bring_up, wait_until_applied
from retrieval.ports.reading import LegSearch
from tests.retrieval.indexing.world import DIMENSIONS, IDENTITY, FakeChangeFeed, contents_of, document, held, scope_of, vector_of

pytestmark = [
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
]


class StubServer(ThreadingHTTPServer):
    """Answers a batch of queries with empty results and remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, dict[str, object]]] = []
        self.status = 200


class _Handler(BaseHTTPRequestHandler):
    server: StubServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body))
        searches = body.get("searches", [])
        answer = json.dumps({"result": [{"points": []} for _ in searches], "status": "ok", "time": 0.0}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(stub: StubServer) -> Iterator[QdrantClient]:
    made = QdrantClient(url=f"http://127.0.0.1:{stub.server_port}", check_compatibility=False, timeout=5)
    yield made
    made.close()


@pytest.fixture
def local() -> Iterator[QdrantClient]:
    made = QdrantClient(":memory:")
    yield made
    made.close()


@pytest.mark.permissions
def test_every_query_carries_the_filter_and_the_lexical_one_its_idf_corpus(stub: StubServer, client: QdrantClient) -> None:
    index = QdrantServerIndex(client, "archivist", IDENTITY, limits=DenseLimits(exact_passages=10))
    readable = {
        "must": [
            {"key": "access_class", "match": {"any": [3, 5]}},
            {"key": "source", "match": {"any": ["wiki"]}},
        ]
    }

    index.search(scope_of(3, 5, readable_passages=11), LegSearch("lantern", vector_of("lantern"), 10, ("wiki",)))

    ((path, body),) = stub.requests
    lexical, dense = body["searches"]  # type: ignore[misc]
    assert path == f"/collections/{index.alias}/points/query/batch"
    assert (lexical["using"], dense["using"]) == ("lexical", vector_name(IDENTITY.model))
    assert lexical["filter"] == dense["filter"] == readable
    assert lexical["params"]["idf"] == {"corpus": readable}
    assert dense["params"]["acorn"] == {"enable": True, "max_selectivity": ACORN_BELOW}
    assert dense["params"]["hnsw_ef"] == EF
    assert "exact" not in dense["params"]


@pytest.mark.parametrize(
    ("measured", "params"),
    [
        pytest.param(Measured(11), {"exact": True}, id="exact"),
        pytest.param(Measured(1, (GraphStep(20, 768, acorn=False),)), {"hnsw_ef": 768}, id="graph"),
        pytest.param(
            Measured(1, (GraphStep(20, 768, acorn=True),)), {"hnsw_ef": 768, "acorn": {"enable": True, "max_selectivity": 1.0}}, id="acorn"
        ),
    ],
)
def test_a_server_is_asked_for_what_was_planned(stub: StubServer, client: QdrantClient, measured: Measured, params: object) -> None:
    index = QdrantServerIndex(client, "archivist", IDENTITY, limits=DenseLimits(measured=measured))

    index.search(scope_of(3, readable_passages=11), LegSearch("", vector_of("lantern"), 10))

    ((_, body),) = stub.requests
    assert [search["params"] for search in body["searches"]] == [params]  # type: ignore[attr-defined]


@pytest.mark.permissions
def test_an_empty_scope_sends_no_request(stub: StubServer, client: QdrantClient) -> None:
    index = QdrantServerIndex(client, "archivist", IDENTITY)

    index.search(scope_of(), LegSearch("lantern", vector_of("lantern"), 10))
    index.texts(scope_of(), ["00000000-0000-8000-8000-000000000000"])

    assert stub.requests == []


def test_a_server_that_fails_is_the_index_being_unavailable(stub: StubServer, client: QdrantClient) -> None:
    stub.status = 500

    with pytest.raises(IndexUnavailable, match="searching"):
        QdrantServerIndex(client, "archivist", IDENTITY).search(scope_of(1), LegSearch("lantern", None, 10))


def test_a_server_that_is_not_there_is_the_index_being_unavailable() -> None:
    client = QdrantClient(url="http://127.0.0.1:1", check_compatibility=False, timeout=1)
    index = QdrantServerIndex(client, "archivist", IDENTITY)

    with pytest.raises(IndexUnavailable):
        index.search(scope_of(1), LegSearch("lantern", None, 10))
    with pytest.raises(IndexUnavailable):
        index.revision()
    client.close()


def test_an_index_that_was_never_built_is_unavailable(local: QdrantClient) -> None:
    index = QdrantServerIndex(local, "archivist", IDENTITY)

    with pytest.raises(IndexUnavailable, match="not been built"):
        index.search(scope_of(1), LegSearch("lantern", None, 10))
    assert index.needs_build


def test_an_index_of_another_model_is_not_searched_and_goes_when_the_new_one_is_built(local: QdrantClient) -> None:
    feed = FakeChangeFeed()
    feed.publish(document("a", "lantern"))
    old = QdrantServerIndex(local, "archivist", IDENTITY)
    new = QdrantServerIndex(local, "archivist", IndexIdentity("other-model@1", DIMENSIONS))
    bring_up(feed, old, batch_documents=5)
    with pytest.raises(IndexUnavailable):
        new.search(scope_of(1), LegSearch("lantern", vector_of("lantern"), 10))
    assert not old.holds("other-model@1")
    assert new.needs_build

    bring_up(feed, new, batch_documents=5)

    assert contents_of(new) == held(feed.current())
    assert old.needs_build
    assert len(local.get_collections().collections) == 1


def test_a_rebuild_leaves_the_collections_of_others_alone(local: QdrantClient) -> None:
    local.create_collection("archivist-test", vectors_config={})
    index = QdrantServerIndex(local, "archivist", IDENTITY)

    bring_up(FakeChangeFeed(), index, batch_documents=5)

    assert local.collection_exists("archivist-test")


def test_an_index_ahead_of_a_restored_catalog_is_built_anew(local: QdrantClient) -> None:
    feed = FakeChangeFeed()
    feed.publish(document("a", "lantern"))
    index = QdrantServerIndex(local, "archivist", IDENTITY)
    bring_up(feed, index, batch_documents=5)
    index.replace([document("from-the-future", "granite")])
    index.applied(99)

    reached = bring_up(feed, index, batch_documents=5)

    assert reached == index.revision() == feed.revision() == 1
    assert contents_of(index) == held(feed.current())


def test_waiting_for_a_revision_ends_when_it_is_there_or_the_time_is_up() -> None:
    revisions = iter([1, 2, 3, 4])

    assert wait_until_applied(lambda: next(revisions), 3, seconds=5) == 3
    assert wait_until_applied(lambda: 1, 3, seconds=0.1) == 1
