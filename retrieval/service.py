"""The read path, top to bottom: authorise, search, fuse, gate, attribute, answer."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import structlog

from retrieval.domain.answers import Answer, Retrieved
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.domain.queries import Query
from retrieval.domain.runs import FusedHit
from retrieval.ports.audit import AuditLog
from retrieval.ports.models import Embedder, Vectors
from retrieval.ports.reading import (
    Candidate,
    DocumentPage,
    DocumentReader,
    Gated,
    GateReader,
    LegRuns,
    LegSearch,
    PassageSearch,
    ReadableDocument,
    ScopeReader,
)
from retrieval.settings import Settings
from retrieval.steps import record
from retrieval.steps.answer import answer_from
from retrieval.steps.attribute import attribute
from retrieval.steps.authorise import authorise
from retrieval.steps.fuse import fuse

_logger = structlog.get_logger("retrieval.service")

STALE_PERMISSIONS = "stale_permissions"
"""In `degraded`: a hit's source was last asked for its permissions too long ago, and its owner lets that pass with a warning."""
GATE_MARGIN = 10
"""Passages gated beyond the top k, so that a few withheld ones do not shorten the result."""


@dataclass
class Stopwatch:
    """Seconds per step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


@dataclass(frozen=True)
class KnowledgeService:
    """What applications ask of Archivist. Every method takes the principal first.

    Every read is recorded before anything of it is returned; one that cannot be recorded is refused.
    """

    settings: Settings
    scopes: ScopeReader
    gate: GateReader
    documents: DocumentReader
    index: PassageSearch
    embedder: Embedder
    audit: AuditLog

    def retrieve(self, principal: Principal, query: Query, *, request_id: str | None = None) -> Retrieved:
        """The passages that answer the query best among those the principal may read, best first.

        Raises:
            InvalidInput: the query breaks a limit.
            RevisionNotReached: the index is older than `query.at_least`.
            Unavailable: the catalog or the index cannot be read; never a partial result.
        """
        watch = Stopwatch()
        _, retrieved = self._retrieve(principal, query, watch)
        with watch.step("audit"):
            self.audit.record(record.retrieval(principal, query, retrieved, searched=self._searched(), request_id=request_id))
        return retrieved

    def answer(self, principal: Principal, query: Query, *, with_passages: bool = True, request_id: str | None = None) -> Answer:
        """Quotes from retrieved passages that answer the question, each cited; or an abstention. Raises like `retrieve`.

        Without `with_passages` only the passages that are quoted are returned beside it.
        """
        watch = Stopwatch()
        vector, retrieved = self._retrieve(principal, query, watch)
        with watch.step("answer"):
            answer = answer_from(
                query.text,
                vector,
                retrieved,
                self.embedder,
                passages=self.settings.answer_passages,
                embedded_sentences=self.settings.answer_embedded_sentences,
                max_sentences=self.settings.answer_max_sentences,
                min_support=self.settings.answer_min_support,
            )
        shown = answer if with_passages else _only_quoted(answer)
        with watch.step("audit"):
            self.audit.record(record.answering(principal, query, shown, searched=self._searched(), request_id=request_id))
        return shown

    def document(
        self, principal: Principal, document: str, *, version: str | None = None, request_id: str | None = None
    ) -> ReadableDocument:
        """A document as the principal may see it.

        Raises:
            NotReadable: absent or hidden, or `version` is given and is not the current one.
        """
        try:
            found = self._current(principal, document, version)
        except NotReadable:
            self.audit.record(record.refused_reading(principal, document, request_id=request_id))
            raise
        self.audit.record(record.reading(principal, found, request_id=request_id))
        return found

    def list_documents(
        self, principal: Principal, *, source: str | None, after: str, count: int, request_id: str | None = None
    ) -> DocumentPage:
        """The documents that the principal may read, in the order of their ids, from the one after `after` on."""
        page = self.documents.documents(principal, source=source, after=after, count=count)
        self.audit.record(record.listing(principal, page, request_id=request_id))
        return page

    def _retrieve(self, principal: Principal, query: Query, watch: Stopwatch) -> tuple[Vectors, Retrieved]:
        """The query's vector, which an answer needs again, and what was retrieved."""
        check(query, self.settings)
        with watch.step("authorise"):
            scope = authorise(principal, self.scopes)
        with watch.step("embed"):
            vector = self.embedder.embed_query(query.text)
        runs = self._search(scope, query, vector, watch)
        return vector, self._gated(principal, scope, query, runs, watch)

    def _current(self, principal: Principal, document: str, version: str | None) -> ReadableDocument:
        found = self.documents.document(principal, document)
        if version not in (None, found.version.id):
            raise NotReadable("not the current version")
        return found

    def _searched(self) -> record.Searched:
        return record.Searched(self.embedder.model, self.index.revision())

    def _search(self, scope: AccessScope, query: Query, vector: Vectors, watch: Stopwatch) -> LegRuns:
        with watch.step("legs"):
            return self.index.search(scope, LegSearch(query.text, vector, query.depth, query.sources, query.at_least))

    def _gated(self, principal: Principal, scope: AccessScope, query: Query, runs: LegRuns, watch: Stopwatch) -> Retrieved:
        """The fused hits that pass the gate.

        Where the index is behind the catalog it finds passages that are withheld. Their scores would still show through those of the
        others, which are normalised together; then everything found is gated and what remains is fused again.
        """
        fused = self._fused(runs, watch)
        head = fused[: query.top_k + GATE_MARGIN]
        gated = self._through_gate(principal, scope, query, head, watch)
        if len(gated.readable) < len(head):
            gated = self._through_gate(principal, scope, query, fused, watch)
            fused = self._fused(runs.only(frozenset(passage.id for passage in gated.readable)), watch)
        with watch.step("attribute"):
            hits = attribute(fused, gated.readable, top_k=query.top_k)
        degraded = (STALE_PERMISSIONS,) if gated.stale_permissions else ()
        return Retrieved(hits, revision=gated.revision, degraded=degraded, seconds=watch.seconds)

    def _fused(self, runs: LegRuns, watch: Stopwatch) -> tuple[FusedHit, ...]:
        with watch.step("fuse"):
            return fuse(runs.lexical, runs.dense, lexical_weight=self.settings.fusion_lexical_weight)

    def _through_gate(self, principal: Principal, scope: AccessScope, query: Query, hits: Sequence[FusedHit], watch: Stopwatch) -> Gated:
        with watch.step("gate"):
            texts = self.index.texts(scope, [hit.passage for hit in hits])
            found = [Candidate(hit.passage, texts[hit.passage]) for hit in hits if hit.passage in texts]
            gated = self.gate.gate(principal, found, at_least=query.at_least)
        if gated.altered:
            _logger.error("passages_altered_in_index", passages=gated.altered, revision=gated.revision)
        return gated


def _only_quoted(answer: Answer) -> Answer:
    quoted = {sentence.citation.passage for sentence in answer.sentences}
    hits = tuple(hit for hit in answer.retrieved.hits if hit.passage.id in quoted)
    return replace(answer, retrieved=replace(answer.retrieved, hits=hits))


def check(query: Query, settings: Settings) -> None:
    """Raises InvalidInput naming each field of the query that breaks a limit."""
    if not query.text.strip():
        raise InvalidInput.of("query", "must not be empty", limit="at least 1 character that is not a space")
    if len(query.text) > settings.query_max_characters:
        raise InvalidInput.of("query", "is too long", limit=f"{settings.query_max_characters} characters")
    if not 1 <= query.top_k <= settings.query_max_top_k:
        raise InvalidInput.of("top_k", "is out of range", limit=f"1 to {settings.query_max_top_k}")
