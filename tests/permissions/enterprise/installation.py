"""The company's records in a real catalog and a real index, behind the real application.

They go through the catalog's ports, as the pipeline's stages take them, without files and Dagster: a run lists a source, takes in,
cuts with the real chunker, stores the real model's vectors (see `grid.py`), publishes. People and groups come by a directory import.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from fastapi.testclient import TestClient

from api.app import create_app
from pipelines.recipe import recipe_of
from pipelines.stages.passages import cut_passages
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.adapters.qdrant.planner import DenseLimits
from retrieval.bootstrap import Service
from retrieval.domain.clock import SystemClock
from retrieval.domain.directory_import import Clearance, DirectoryImport, ImportedEntry
from retrieval.domain.documents import Element, ElementKind, ParsedDocument, SourceFile, Span
from retrieval.domain.ids import content_hash, document_id, text_hash
from retrieval.domain.ingestion import SourceRun, Taken
from retrieval.domain.permissions import AccessPolicy
from retrieval.indexing.following import FollowingSearch
from retrieval.indexing.owner import IndexOwner
from retrieval.model_switch import LiveModels
from retrieval.service import KnowledgeService
from retrieval.settings import Settings
from tests.permissions.askings import CLASSIFICATIONS, OWNER, spec_of
from tests.permissions.credentials import Credentials
from tests.permissions.enterprise.grid import GridEmbedder
from tests.permissions.oracle import Asking, Paper, Person, State
from tests.permissions.people import enter_person
from tests.retrieval.indexing.world import InProcessBuilder

CATCH_UP_SECONDS = 5.0
EXACT_PASSAGES = 1_000_000
"""More than there are: the dense leg compares every readable passage."""


@dataclass(frozen=True)
class HeldPassage:
    """One passage as the catalog hands it to indexes. `text` is what is embedded and indexed. Who may read it is not said here."""

    id: str
    document: str
    text: str
    vector: Sequence[float]


@dataclass(frozen=True)
class Served:
    """The application over one index."""

    client: TestClient
    credentials: Credentials

    def retrieve(self, asking: Asking, query: str) -> "list[tuple[str, float]] | int":
        """Passages and scores, best first; or the status of a refusal."""
        response = self.client.post("/retrieve", json={"query": query, "top_k": 10}, headers=dict(self.credentials.headers(asking)))
        if response.status_code != 200:
            return response.status_code
        return [(hit["passage"]["id"], hit["score"]) for hit in response.json()["hits"]]


class Installation:
    """One data directory with everything ingested."""

    def __init__(self, directory: Path, state: State, embedder: GridEmbedder) -> None:
        self.settings = Settings(data_directory=directory, feedback_passages=0, graph_weight=0.0, rerank_passages=0)
        self.state = state
        self.embedder = embedder

    def ingest(self) -> None:
        with self._catalog() as catalog:
            for name, folder in self.state.folders.items():
                catalog.sources.register(spec_of(name, folder), by=OWNER)
            _enter_everybody(catalog, self.state)
            runs = [self._cut(catalog, name) for name in self.state.folders]
            self._embed(catalog)
            for run in runs:
                list(catalog.publishing.publish(run, model=self.embedder.model, batch=500))
                catalog.runs.finish(run, outcome="succeeded")

    def passages(self) -> Iterator[HeldPassage]:
        """Everything that an index holds, whoever may read it."""
        with self._catalog() as catalog, CatalogFeed(catalog.database, self.embedder.model).snapshot() as (_, documents):
            for document in documents:
                for passage in document.passages:
                    yield HeldPassage(passage.id, document.document, passage.embedded_text, passage.vector)

    @contextmanager
    def served(self, *, exact_passages: int = EXACT_PASSAGES) -> Iterator[Served]:
        """The application; its index is built when there is none yet."""
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        with self._catalog() as catalog:
            feed, identity = (
                CatalogFeed(catalog.database, self.embedder.model),
                IndexIdentity(self.embedder.model, self.embedder.dimensions),
            )
            index = EdgeIndex.open(self.settings.index_directory, identity, limits=DenseLimits(exact_passages))
            owner = IndexOwner(feed, index, InProcessBuilder(feed, identity), batch_documents=64, renew_after_passages=1_000_000)
            try:
                if index.needs_build:
                    owner.rebuild()
                search = FollowingSearch(index, lambda _needed: owner.catch_up(CATCH_UP_SECONDS))
                gate, documents = catalog.gate, catalog.documents
                knowledge = KnowledgeService(self.settings, gate, gate, documents, search, self.embedder, catalog.audit)
                models = LiveModels(
                    catalog.embedding_models,
                    None,
                    load=lambda _model: self.embedder,
                    holds=lambda _model: True,
                    first=self.embedder,
                    name="installation",
                )
                service = Service(
                    settings=self.settings,
                    catalog=catalog,
                    knowledge=knowledge,
                    token_key=bytes(32),
                    index_readiness=lambda: (True, "following the catalog"),
                    models=models,
                )
                with TestClient(create_app(service)) as client:
                    yield Served(client, Credentials(catalog, SystemClock()))
            finally:
                owner.close()

    @contextmanager
    def _catalog(self) -> Iterator[Catalog]:
        catalog = open_catalog(self.settings)
        try:
            yield catalog
        finally:
            catalog.close()

    def _cut(self, catalog: Catalog, source: str) -> SourceRun:
        """List a source, take in what it holds and cut it."""
        papers = {document_of(paper): paper for paper in self.state.papers.values() if paper.folder == source}
        run = catalog.runs.start(source, f"run-{source}")
        catalog.listing.record(run, [_file(paper) for paper in papers.values()])
        catalog.listing.complete(run)
        recipe = recipe_of(self.settings)
        for item in list(catalog.staging.pending(run, recipe=recipe)):
            _take(catalog, run, papers[item.document], recipe)
        limits = {"max_tokens": self.settings.chunk_max_tokens, "overlap_tokens": self.settings.chunk_overlap_tokens}
        cut_passages(catalog.staging, run, count_tokens=self.embedder.count_tokens, **limits)
        return run

    def _embed(self, catalog: Catalog) -> None:
        work = {item.text_hash: item for source in self.state.folders for item in catalog.embeddings.to_embed(source, self.embedder.model)}
        vectors = self.embedder.embed_kept("passages", [item.text for item in work.values()])
        catalog.embeddings.store(self.embedder.model, [(hash_, vector.tobytes()) for hash_, vector in zip(work, vectors, strict=True)])


def document_of(paper: Paper) -> str:
    """The id that a record's document has."""
    return document_id(paper.folder, paper.path)


def _file(paper: Paper) -> SourceFile:
    fingerprint = text_hash(paper.title + "\n" + paper.body)[:12]
    return SourceFile(paper.path, f"file:///{paper.path}", fingerprint=fingerprint, policy=AccessPolicy(paper.allowed, paper.denied))


def _take(catalog: Catalog, run: SourceRun, paper: Paper, recipe: str) -> None:
    whole = Element(Span(0, len(paper.body)), ElementKind.TEXT)
    parsed = ParsedDocument(paper.title, "text/plain", paper.body, (whole,), "test")
    record = catalog.staging.remember_parsed(text_hash(paper.name), parsed, [])
    hash_, size = content_hash(paper.body.encode()), len(paper.body.encode())
    catalog.staging.take(run, Taken(document_of(paper), hash_, recipe, _file(paper).fingerprint, None, size, None, record))


def _enter_everybody(catalog: Catalog, state: State) -> None:
    """People and memberships by one import. Files say nothing of who has left; those are made inactive one by one."""
    subjects = set(state.people) | set(state.groups) | set().union(*state.groups.values())
    entries = {subject: ImportedEntry(subject, subject, "", _stated(state.people, subject)) for subject in sorted(subjects)}
    pairs = frozenset((member, group) for member, groups in state.groups.items() for group in groups)
    catalog.directory.take(DirectoryImport(entries, pairs))
    for subject, person in state.people.items():
        if not person.active:
            enter_person(catalog, subject, person)


def _stated(people: Mapping[str, Person], subject: str) -> Clearance | None:
    person = people.get(subject)
    return None if person is None else Clearance(None if person.clearance is None else CLASSIFICATIONS[person.clearance])
