"""Both adapters of the index, opened for a test, and short ways to ask them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from qdrant_client import QdrantClient

from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.adapters.qdrant.payload import HeldPassage
from retrieval.adapters.qdrant.server import QdrantServerIndex
from retrieval.domain.passages import IndexedDocument
from retrieval.domain.runs import Run
from retrieval.indexing.owner import IndexOwner
from retrieval.indexing.remote import bring_up
from retrieval.ports.reading import LegRuns, LegSearch, PassageSearch
from retrieval.ports.writing import IndexWriter
from tests.retrieval.indexing.world import (
    IDENTITY,
    FakeChangeFeed,
    InProcessBuilder,
    held,
    vector_of,
)

ADAPTERS = ["edge", "server"]
WORDS = ["lantern", "harbour", "ledger", "violin", "granite", "meadow", "cipher", "walnut", "tunnel", "saffron", "über", "naïve", "日本"]


class Index(PassageSearch, IndexWriter, Protocol):
    """What both adapters are."""

    def contents(self) -> Iterator[HeldPassage]: ...

    def passages(self) -> int: ...


@contextmanager
def opened(adapter: str, directory: Path, feed: FakeChangeFeed | None = None) -> Iterator[Index]:
    """An index that has been built from the feed."""
    feed = feed or FakeChangeFeed()
    if adapter == "server":
        client = QdrantClient(":memory:")
        server = QdrantServerIndex(client, "archivist", IDENTITY)
        bring_up(feed, server, batch_documents=2)
        yield server
        client.close()
        return
    edge = EdgeIndex.open(directory, IDENTITY)
    IndexOwner(feed, edge, InProcessBuilder(feed), batch_documents=2, renew_after_passages=1_000_000).rebuild()
    yield edge
    edge.close()


def query(text: str, *, depth: int = 10, sources: Sequence[str] = (), dense: bool = True, at_least: int = 0) -> LegSearch:
    return LegSearch(text, vector_of(text) if dense else None, depth, tuple(sources), at_least)


def found(runs: LegRuns) -> set[str]:
    return {hit.passage for run in (runs.lexical, runs.dense) for hit in run.hits}


def ids(*documents: IndexedDocument) -> set[str]:
    return set(held(documents))


def passages_of(run: Run) -> list[str]:
    return [hit.passage for hit in run.hits]
