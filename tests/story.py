"""A source's life in few words: the catalog's ledger driven as the pipeline drives it, with one-sentence documents and fake vectors."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pipelines.stages.graph import update_graph
from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.domain.documents import Element, ElementKind, ParsedDocument, SourceFile, Span
from retrieval.domain.ids import content_hash, document_id, text_hash
from retrieval.domain.ingestion import GraphChanges, PublicationCounts, SourceRun, Taken
from retrieval.domain.passages import DraftPassage
from retrieval.domain.permissions import EVERYONE, AccessPolicy, AccessScope, Principal
from retrieval.domain.sources import SourceSpec
from retrieval.ports.reading import Candidate, Gated

MODEL = "fake@1"
PUBLIC = AccessPolicy.of([EVERYONE])
ANN = Principal("ann")
BOB = Principal("bob")


def allow(*subjects: str, deny: tuple[str, ...] = ()) -> AccessPolicy:
    return AccessPolicy.of(subjects, deny)


@dataclass
class Story:
    """One source of a catalog. `files` maps key to (text, policy)."""

    catalog: Catalog
    source: str = "handbook"
    kind: str = "files"
    recipe: str = "recipe 1"
    model: str = MODEL
    dimensions: int = 8
    runs: int = 0
    embedded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.catalog.sources.register(SourceSpec(id=self.source, kind=self.kind, title="Handbook", owner="user:dana"), by="user:dana")

    def start(self) -> SourceRun:
        self.runs += 1
        return self.catalog.runs.start(self.source, f"{self.source}-run-{self.runs}")

    def record(self, run: SourceRun, files: Mapping[str, tuple[str, AccessPolicy]]) -> None:
        self.catalog.listing.record(run, [self.file(key, text, policy) for key, (text, policy) in files.items()])
        self.catalog.listing.complete(run)

    def file(self, key: str, text: str, policy: AccessPolicy = PUBLIC) -> SourceFile:
        return SourceFile(key, f"file:///{key}", fingerprint=content_hash(text.encode())[:12], policy=policy)

    def stage(self, run: SourceRun, files: Mapping[str, tuple[str, AccessPolicy]]) -> int:
        """Take in and cut what is pending. Returns how many documents were."""
        pending = list(self.catalog.staging.pending(run, recipe=self.recipe))
        for item in pending:
            text = files[item.key][0]
            whole = Element(Span(0, len(text)), ElementKind.TEXT)
            parsed = ParsedDocument(item.key, "text/plain", text, (whole,), "test")
            record = self.catalog.staging.remember_parsed(text_hash(item.key + text), parsed, [])
            hash_ = content_hash(text.encode())
            self.catalog.staging.take(run, Taken(item.document, hash_, self.recipe, item.fingerprint, None, len(text), None, record))
        self.cut(run)
        return len(pending)

    def cut(self, run: SourceRun) -> None:
        """Two passages per text: up to the first full stop, and the rest."""
        for version in self.catalog.staging.to_chunk(run):
            middle = version.text.find(".") + 1 or len(version.text)
            spans = [span for span in (Span(0, middle), Span(middle, len(version.text))) if len(span)]
            drafts = [DraftPassage(n, span, span.of(version.text), "", None, (), 3) for n, span in enumerate(spans)]
            self.catalog.staging.store_passages(run, version, drafts)

    def embed(self) -> int:
        work = list(self.catalog.embeddings.to_embed(self.source, self.model))
        self.embedded += [item.text for item in work]
        self.catalog.embeddings.store(self.model, [(item.text_hash, vector_of(item.text, self.dimensions).tobytes()) for item in work])
        return len(work)

    def publish(self, run: SourceRun, *, batch: int = 100) -> list[PublicationCounts]:
        published = list(self.catalog.publishing.publish(run, model=self.model, batch=batch))
        return published + list(self.catalog.publishing.withdraw_missing(run, batch=batch))

    def sync(self, files: Mapping[str, tuple[str, AccessPolicy]]) -> SourceRun:
        """The whole chain."""
        run = self.start()
        self.record(run, files)
        self.stage(run, files)
        self.embed()
        self.publish(run)
        self.catalog.runs.finish(run, outcome="succeeded")
        return run

    def relate(self, run: SourceRun, **options: object) -> GraphChanges:
        """Bring the knowledge graph to what is published, as the pipeline does."""
        told = {"glossary": self.catalog.glossaries.terms(self.source), "batch": 100, "max_name_characters": 200}
        return update_graph(self.catalog.graph_store, run, **(told | options))

    def document(self, key: str) -> str:
        return document_id(self.source, key)

    @property
    def feed(self) -> CatalogFeed:
        return CatalogFeed(self.catalog.database, self.model)

    def visible(self, principal: Principal) -> set[str]:
        """Every text that passes the gate for the principal, of all that the index would hold."""
        return {passage.text for passage in self.gated(principal).readable}

    def gated(self, principal: Principal) -> Gated:
        """What the gate says of all that the index would hold."""
        with self.feed.snapshot() as (_, documents):
            candidates = [Candidate(p.id, p.text) for document in documents for p in document.passages]
        return self.catalog.gate.gate(principal, candidates)


def vector_of(text: str, dimensions: int) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    drawn = np.random.default_rng(int(text_hash(text)[:8], 16)).normal(size=dimensions).astype("<f4")
    return drawn / np.linalg.norm(drawn)


EVERYTHING = AccessScope(ANN, tuple(range(1_000)), revision=0, readable_passages=0)
"""For what takes a scope and is not about permissions: every class that a test makes."""
