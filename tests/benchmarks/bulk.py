"""An installation of 100,000 passages for the read path: the windows, written through the pipeline's ports, and the index over them."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import event

from retrieval.adapters.catalog import migrations
from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.bootstrap import Service, open_service
from retrieval.domain.documents import Element, ElementKind, ParsedDocument, SourceFile, Span
from retrieval.domain.ids import content_hash, document_id, text_hash
from retrieval.domain.ingestion import Taken
from retrieval.domain.passages import DraftPassage
from retrieval.domain.permissions import EVERYONE, AccessPolicy, Principal
from retrieval.domain.sources import SourceSpec
from retrieval.ports.models import Embedder, Vectors
from retrieval.service import KnowledgeService
from retrieval.settings import Settings
from tests.benchmarks.report import console
from tests.benchmarks.windows import BLOCK_WORDS, BLOCKS_PER_PASSAGE, WindowedDocument, Windows
from tests.benchmarks.world import World

READER = Principal("bulk-reader")
OWNER = "user:benchmark"
SOURCE = "bulk"
RECIPE = "windows 1"
PASSAGES = 100_000
GROUPS = 500
"""Each document but every fifth is readable to one of these, so there are nearly as many access classes; every fifth is for everyone."""
READER_GROUPS = 300
BATCH = 500
FORM = 1
BUILD_SECONDS = 1_800.0


@dataclass(frozen=True)
class ReadyEmbedder:
    """An `Embedder` that has every query's vector already: what embedding costs is measured elsewhere."""

    of: Embedder
    vectors: dict[str, Vectors]

    @property
    def model(self) -> str:
        return self.of.model

    @property
    def dimensions(self) -> int:
        return self.of.dimensions

    @property
    def max_tokens(self) -> int:
        return self.of.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self.of.count_tokens(texts)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self.of.embed(texts)

    def embed_query(self, text: str) -> Vectors:
        return self.vectors[text]


@contextmanager
def serving(world: World, windows: Windows, embedder: Embedder) -> Iterator[tuple[Service, KnowledgeService]]:
    """The product over the 100,000 passages, as `archivist serve` wires it, but with the queries' vectors ready."""
    settings = Settings(data_directory=_filled(world, windows, embedder))
    ready = ReadyEmbedder(embedder, dict(zip(windows.queries, windows.query_vectors, strict=True)))
    with open_service(settings) as service:
        _wait(service)
        yield service, replace(service.knowledge, embedder=ready, models=None)


def taken(world: World, windows: Windows) -> list[WindowedDocument]:
    """The first documents with 100,000 passages in all."""
    wanted, found = world.count(PASSAGES, 1_000), []
    for document in windows.documents:
        if wanted <= 0:
            break
        kept = replace(document, blocks=document.blocks[:wanted])
        found.append(kept)
        wanted -= len(kept.blocks)
    return found


def _filled(world: World, windows: Windows, embedder: Embedder) -> Path:
    directory, stamp = world.directory / "bulk", world.directory / "bulk" / "made-of.json"
    documents = taken(world, windows)
    made_of = {"form": FORM, "model": embedder.model, "documents": len(documents), "groups": GROUPS, "schema": _schema()}
    if not stamp.exists() or json.loads(stamp.read_text()) != made_of:
        began = time.monotonic()
        _fill(Settings(data_directory=world.emptied("bulk")), documents, windows.passage_vectors(), embedder)
        stamp.write_text(json.dumps(made_of))
        console().print(f"{len(documents):,} documents written in {time.monotonic() - began:.0f} s")
    return directory


def _schema() -> list[str]:
    return sorted(path.name for path in (Path(migrations.__path__[0]) / "versions").glob("*.py"))


def _fill(settings: Settings, documents: Sequence[WindowedDocument], vectors: Vectors, embedder: Embedder) -> None:
    catalog = open_catalog(settings)
    event.listen(catalog.database.engine, "connect", _without_waiting_for_the_disk)
    catalog.database.engine.dispose()  # of the connections that were made before
    try:
        catalog.sources.register(SourceSpec(id=SOURCE, kind="files", title="Bulk", owner=OWNER), by=OWNER)
        catalog.directory.set_groups(READER.subject, frozenset(f"group:bulk-{number}" for number in range(READER_GROUPS)))
        by_id = {document_id(SOURCE, document.id): document for document in documents}
        run = catalog.runs.start(SOURCE, "bulk-1")
        files = [_file(number, document) for number, document in enumerate(documents)]
        for at in range(0, len(files), BATCH):
            catalog.listing.record(run, files[at : at + BATCH])
        catalog.listing.complete(run)
        for item in list(catalog.staging.pending(run, recipe=RECIPE)):
            document = by_id[item.document]
            body = "".join(document.blocks)
            whole = Element(Span(0, len(body)), ElementKind.TEXT)
            parsed = ParsedDocument(document.title, "text/plain", body, (whole,), "bulk", {})
            record = catalog.staging.remember_parsed(text_hash(document.id + body), parsed, [])
            hash_ = content_hash(body.encode("utf-8", "replace"))
            catalog.staging.take(run, Taken(item.document, hash_, RECIPE, item.fingerprint, None, len(body), None, record))
        rows: dict[str, bytes] = {}
        for version in catalog.staging.to_chunk(run):
            document = by_id[version.document]
            drafts = _drafts(document)
            catalog.staging.store_passages(run, version, drafts)
            rows |= {text_hash(draft.embedded_text): vectors[document.first + draft.ordinal].tobytes() for draft in drafts}
            if len(rows) >= BATCH:
                catalog.embeddings.store(embedder.model, list(rows.items()))
                rows.clear()
        catalog.embeddings.store(embedder.model, list(rows.items()))
        list(catalog.publishing.publish(run, model=embedder.model, batch=BATCH))
        catalog.runs.finish(run, outcome="succeeded")
    finally:
        catalog.close()


def _without_waiting_for_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    """Whatever a crash takes of this is made anew. Reading is measured over connections of their own."""
    connection.execute("PRAGMA synchronous = OFF")


def _file(number: int, document: WindowedDocument) -> SourceFile:
    reader = EVERYONE if number % 5 == 0 else f"group:bulk-{number % GROUPS}"
    return SourceFile(document.id, f"file:///{document.id}", fingerprint="1", policy=AccessPolicy.of([reader]))


def _drafts(document: WindowedDocument) -> list[DraftPassage]:
    drafts, start = [], 0
    for at, block in enumerate(document.blocks):
        text = document.passage(at)
        drafts.append(DraftPassage(at, Span(start, start + len(text)), text, document.title, None, (), BLOCKS_PER_PASSAGE * BLOCK_WORDS))
        start += len(block)
    return drafts


def _wait(service: Service) -> None:
    """Until the index is built and has come to the catalog's revision."""
    end, began = time.monotonic() + BUILD_SECONDS, time.monotonic()
    while not all(is_ready for _, is_ready, _ in service.readiness()):
        if time.monotonic() > end:
            raise AssertionError("the index was not built in time")
        time.sleep(0.2)
    if time.monotonic() - began > 1:
        console().print(f"index built in {time.monotonic() - began:.0f} s")
