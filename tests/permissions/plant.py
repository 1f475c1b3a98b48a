"""A world behind the real application: real catalog, real Qdrant engine that follows it, real HTTP application. Only the model is small.

Every change goes the way the pipeline goes: a run lists a whole source, takes in, cuts, embeds, publishes, withdraws.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from fastapi.testclient import TestClient
from qdrant_client import QdrantClient

from api.app import create_app
from pipelines.stages.graph import update_graph
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.adapters.graph.memory import MemoryGraph
from retrieval.adapters.graph.paths import names_to
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.adapters.qdrant.planner import DenseLimits
from retrieval.adapters.qdrant.server import QdrantServerIndex
from retrieval.domain.documents import Element, ElementKind, ParsedDocument, SourceFile, Span
from retrieval.domain.ids import content_hash, document_id, text_hash
from retrieval.domain.ingestion import SourceRun, Taken
from retrieval.domain.passages import DraftPassage
from retrieval.domain.permissions import AccessPolicy, AccessScope
from retrieval.indexing.following import FollowingSearch
from retrieval.indexing.graph import FollowingGraph, GraphFollower
from retrieval.indexing.owner import IndexOwner
from retrieval.indexing.remote import bring_up
from retrieval.ports.models import Vectors
from retrieval.ports.reading import LegRuns, LegSearch, PassageSearch
from retrieval.service import KnowledgeService
from retrieval.services import Services
from retrieval.settings import Settings
from tests.permissions.askings import OWNER, spec_of
from tests.permissions.credentials import Credentials
from tests.permissions.oracle import Folder, Paper, Person, State
from tests.permissions.people import enter_person
from tests.permissions.small_embedder import DIMENSIONS, SmallEmbedder
from tests.retrieval.indexing.world import InProcessBuilder
from tests.templates import lay_out

RECIPE = "recipe 1"
WORD = re.compile(r"z[tpab][0-9a-f]{12}")
"""What only one document holds."""
CATCH_UP_SECONDS = 60.0
UNLIMITED: Mapping[str, Any] = {
    "rate_limit_requests": 0,
    "rate_limit_application_requests": 0,
    "rate_limit_failed_authentications": 0,
    "rate_limit_concurrent": 0,
    "rate_limit_application_concurrent": 0,
    "request_deadline_seconds": 600,
}
"""A campaign asks more, and on a busier machine, than any one principal may."""


@dataclass
class FixedClock:
    """Two worlds are made at the same moment."""

    at: datetime = field(default=datetime(2026, 3, 1, 9, tzinfo=UTC))

    def now(self) -> datetime:
        return self.at


@dataclass
class Plant:
    """One world, served. `state` is what the oracle is told; `changing` serialises changes, as the pipeline's runs are per source."""

    settings: Settings
    catalog: Catalog
    knowledge: KnowledgeService
    client: TestClient
    credentials: Credentials
    embedder: SmallEmbedder
    state: State
    logged: list[str]
    """Log lines that hold a word or title of some document: there must be none."""
    runs: int = 0
    follow: Callable[[], object] = field(default=lambda: None)
    changing: threading.Lock = field(default_factory=threading.Lock)

    def document_id(self, paper: Paper) -> str:
        return document_id(paper.folder, key_of(paper))

    def register(self, name: str, folder: Folder) -> None:
        self.catalog.sources.register(spec_of(name, folder), by=OWNER)

    def enter(self, subject: str, person: Person) -> None:
        enter_person(self.catalog, subject, person)

    def put_in_groups(self, member: str, groups: frozenset[str]) -> None:
        self.catalog.directory.set_groups(member, groups)

    def list_again(self, folder: str, papers: Mapping[str, Paper]) -> SourceRun:
        """List a folder as it is now: permissions take effect before this returns, contents do not."""
        self.runs += 1
        run = self.catalog.runs.start(folder, f"run-{self.runs}")
        self.catalog.listing.record(run, [_file(paper) for paper in papers.values() if paper.folder == folder])
        self.catalog.listing.complete(run)
        return run

    def sync(self, folder: str, papers: Mapping[str, Paper]) -> None:
        """The whole chain for one folder."""
        run = self.list_again(folder, papers)
        by_id = {self.document_id(paper): paper for paper in papers.values() if paper.folder == folder}
        for item in list(self.catalog.staging.pending(run, recipe=RECIPE)):
            self._take(run, by_id[item.document], item.fingerprint)
        for version in self.catalog.staging.to_chunk(run):
            self.catalog.staging.store_passages(run, version, _drafts(version.text))
        work = list(self.catalog.embeddings.to_embed(folder, self.embedder.model))
        if work:
            vectors = self.embedder.embed([item.text for item in work])
            rows = [(item.text_hash, vector.tobytes()) for item, vector in zip(work, vectors, strict=True)]
            self.catalog.embeddings.store(self.embedder.model, rows)
        list(self.catalog.publishing.publish(run, model=self.embedder.model, batch=100))
        list(self.catalog.publishing.withdraw_missing(run, batch=100))
        update_graph(self.catalog.graph_store, run, glossary=self.catalog.glossaries.terms(folder), batch=100, max_name_characters=200)
        self.catalog.runs.finish(run, outcome="succeeded")

    def _take(self, run: SourceRun, paper: Paper, fingerprint: str | None) -> None:
        whole = Element(Span(0, len(paper.body)), ElementKind.TEXT)
        parsed = ParsedDocument(title_of(paper), "text/plain", paper.body, (whole,), "test", {"author": f"Dr {paper.author}"})
        record = self.catalog.staging.remember_parsed(text_hash(paper.name + paper.body), parsed, [])
        hash_ = content_hash(paper.body.encode())
        taken = Taken(self.document_id(paper), hash_, RECIPE, fingerprint, None, len(paper.body), None, record)
        self.catalog.staging.take(run, taken)


@contextmanager
def planted(
    directory: Path,
    state: State,
    *,
    catalog_url: str = "",
    exact_passages: int = 20_000,
    index: str = "edge",
    stalled: bool = False,
    dimensions: int = DIMENSIONS,
    **changed: object,
) -> Iterator[Plant]:
    """Serve a world from an empty directory; everything is closed at the end.

    Args:
        index: `edge`, the engine inside this process, or `server`, that of qdrant-client's local mode.
        dimensions: of the embeddings. The engine makes a graph of a few thousand only if each of them is large.
        stalled: the index does not follow by itself; `Plant.follow` brings it up to date.
    """
    settings = Settings(
        data_directory=directory,
        catalog_url=catalog_url,
        index_exact_passages=exact_passages,
        answer_min_support=0.1,
        **UNLIMITED,
        **changed,
    )
    with ExitStack() as closing:
        logged: list[str] = []
        structlog.configure(processors=[partial(_keep_what_names_a_document, logged)])
        closing.callback(structlog.reset_defaults)
        clock = FixedClock()
        if not catalog_url:
            lay_out(settings.data_directory / "catalog.db")
        catalog = open_catalog(settings, clock=clock)
        closing.callback(catalog.close)
        embedder = SmallEmbedder(dimensions)
        plant = Plant(settings, catalog, None, None, Credentials(catalog, clock), embedder, state, logged)  # type: ignore[arg-type]
        _fill(plant)
        feed = CatalogFeed(catalog.database, embedder.model, past_days=settings.as_of_max_days)
        served, plant.follow = closing.enter_context((_edge if index == "edge" else _server)(settings, feed, embedder))
        search = served if stalled else FollowingSearch(served, lambda _needed: plant.follow())
        walks = _walks(catalog)
        read = (catalog.gate, catalog.gate, catalog.documents, search)
        plant.knowledge = KnowledgeService(settings, *read, embedder, catalog.audit, walks=walks, way=names_to, sources=catalog.health)
        wiring = _Wiring(settings=settings, catalog=catalog, knowledge=plant.knowledge, clock=clock)
        plant.client = closing.enter_context(TestClient(create_app(wiring, clock=clock), raise_server_exceptions=False))
        yield plant


def _walks(catalog: Catalog) -> FollowingGraph:
    """The graph leg: in memory, loaded, following before each search."""
    graph = MemoryGraph()
    follower = GraphFollower(catalog.graph_feed, graph, batch_documents=64)
    follower.follow()
    return FollowingGraph(graph, follower, graph.applied_revision, 5.0)


@dataclass(frozen=True, kw_only=True)
class _Wiring(Services):
    token_key: bytes = bytes(range(32))

    def readiness(self) -> list[tuple[str, bool, str]]:
        return []


Served = tuple[PassageSearch, Callable[[], object]]
"""An index, and what brings it up to date."""


@contextmanager
def _edge(settings: Settings, feed: CatalogFeed, embedder: SmallEmbedder) -> Iterator[Served]:
    identity = IndexIdentity(embedder.model, embedder.dimensions)
    index = EdgeIndex.open(settings.index_directory, identity, limits=DenseLimits(settings.index_exact_passages))
    owner = IndexOwner(feed, index, InProcessBuilder(feed, identity), batch_documents=64, renew_after_passages=1_000_000)
    owner.rebuild()
    try:
        yield index, lambda: owner.catch_up(CATCH_UP_SECONDS)
    finally:
        owner.close()


@contextmanager
def _server(settings: Settings, feed: CatalogFeed, embedder: SmallEmbedder) -> Iterator[Served]:
    client = QdrantClient(":memory:")
    identity = IndexIdentity(embedder.model, embedder.dimensions)
    index = QdrantServerIndex(client, "archivist", identity, limits=DenseLimits(settings.index_exact_passages))
    try:
        bring_up(feed, index, batch_documents=64)
        alone = OneAtATime(index, lambda: bring_up(feed, index, batch_documents=64))
        yield alone, alone.follow
    finally:
        client.close()


class OneAtATime:
    """qdrant-client's local mode is not made for threads, as a server is: searches and changes take turns."""

    def __init__(self, index: PassageSearch, bring_up_to_date: Callable[[], object]) -> None:
        self._index = index
        self._bring_up_to_date = bring_up_to_date
        self._lock = threading.Lock()

    def follow(self) -> object:
        with self._lock:
            return self._bring_up_to_date()

    def search(self, scope: AccessScope, search: LegSearch) -> LegRuns:
        with self._lock:
            return self._index.search(scope, search)

    def texts(self, scope: AccessScope, passages: Sequence[str]) -> Mapping[str, str]:
        with self._lock:
            return self._index.texts(scope, passages)

    def vectors(self, scope: AccessScope, passages: Sequence[str], *, model: str = "") -> Mapping[str, Vectors]:
        with self._lock:
            return self._index.vectors(scope, passages, model=model)

    def revision(self) -> int:
        with self._lock:
            return self._index.revision()


def _fill(plant: Plant) -> None:
    for name, folder in plant.state.folders.items():
        plant.register(name, folder)
    for member, groups in plant.state.groups.items():
        plant.put_in_groups(member, groups)
    for subject, person in plant.state.people.items():
        plant.enter(subject, person)
    for name in plant.state.folders:
        plant.sync(name, plant.state.papers)


def _keep_what_names_a_document(kept: list[str], _logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    line = repr(dict(event))
    if WORD.search(line):
        kept.append(line)
    raise structlog.DropEvent


def title_of(paper: Paper) -> str:
    return f"Report {paper.title}"


def key_of(paper: Paper) -> str:
    return f"shelf/{paper.path}.txt"


def _file(paper: Paper) -> SourceFile:
    key = key_of(paper)
    fingerprint = content_hash(paper.body.encode())[:12]
    policy = AccessPolicy(paper.allowed, paper.denied)
    return SourceFile(key, f"file:///{key}", fingerprint=fingerprint, modified_at=_date(paper.modified_at), policy=policy)


def _date(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _drafts(text: str) -> list[DraftPassage]:
    """One passage for each sentence."""
    drafts, start = [], 0
    while start < len(text):
        end = text.find(".", start) + 1 or len(text)
        span = Span(start, end)
        drafts.append(DraftPassage(len(drafts), span, span.of(text), "", None, (), 3))
        start = end
    return drafts
