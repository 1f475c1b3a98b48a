"""The read path, top to bottom: authorise, find and rank what may be shown, attribute, record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from retrieval.domain.answers import Extract, Retrieved, RetrievedPassage
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.explanations import Explanation
from retrieval.domain.freshness import SourceFreshness
from retrieval.domain.passages import ReadablePassage, Stretch
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.domain.queries import Query
from retrieval.domain.runs import Leg
from retrieval.ports.audit import AuditLog
from retrieval.ports.embedding_models import QueryModels
from retrieval.ports.graph_search import GraphSearch
from retrieval.ports.health import FreshnessReader
from retrieval.ports.models import EmbeddedQuery, Embedder, Reranker, TokenVectors, token_embedder
from retrieval.ports.reading import DocumentPage, DocumentReader, GateReader, PassageSearch, ReadableDocument, ScopeReader, TokenReader
from retrieval.remembered import Remembered
from retrieval.search import PassageRanking, Ranked
from retrieval.settings import Settings
from retrieval.steps import record
from retrieval.steps.attribute import attribute
from retrieval.steps.authorise import authorise
from retrieval.steps.context import collapse, stretches
from retrieval.steps.explain import explain
from retrieval.steps.fuse import weights
from retrieval.steps.graph import GraphRun
from retrieval.stopwatch import Stopwatch

STALE_PERMISSIONS = "stale_permissions"
"""In `degraded`: a hit's source was last asked for its permissions too long ago, and its owner lets that pass with a warning."""

STALE_SOURCE = "stale_source"
"""In `degraded`: a hit's source was last read to its end longer ago than its owner promises."""

TOKENS = "tokens"
EMBEDDING_MODEL = "embedding_model"
"""In `degraded`: the live model tells of no single tokens, so rankings and quotes are made without them; this process is not ready for the
live model yet and answers by the one before."""


@dataclass(frozen=True)
class KnowledgeService:
    """What applications ask of Archivist. Every method takes the principal first.

    Every read is recorded before anything of it is returned; one that cannot be recorded is refused.

    Attributes:
        embedder: by which queries are embedded where `models` does not say.
        models: tells which model is live; asked once for each request.
    """

    settings: Settings
    scopes: ScopeReader
    gate: GateReader
    documents: DocumentReader
    index: PassageSearch
    embedder: Embedder
    audit: AuditLog
    tokens: TokenReader | None = None
    rerankers: Sequence[Reranker] = ()
    walks: GraphSearch | None = None
    models: QueryModels | None = None
    sources: FreshnessReader | None = None
    way: Callable[[str, GraphRun, Mapping[str, ReadablePassage]], tuple[str, ...]] = lambda _passage, _walk, _readable: ()

    def retrieve(self, principal: Principal, query: Query, *, request_id: str | None = None) -> Retrieved:
        """The passages that answer the query best among those the principal may read, best first.

        Raises:
            InvalidInput: the query breaks a limit.
            RevisionNotReached: the index is older than `query.at_least` or `query.as_of`.
            Unavailable: the catalog or the index cannot be read; never a partial result.
        """
        watch = Stopwatch()
        _, _, retrieved = self.looked_up(principal, query, watch)
        with watch.step("audit"):
            self.audit.record(record.retrieval(principal, query, retrieved, searched=self.searched(retrieved), request_id=request_id))
        return retrieved

    def looked_up(self, principal: Principal, query: Query, watch: Stopwatch) -> tuple[AccessScope, EmbeddedQuery, Retrieved]:
        """What `retrieve` gives, not yet recorded, with the scope and the query's vector. Whoever shows any of it records it."""
        check(query, self.settings)
        with watch.step("authorise"):
            scope = authorise(principal, self.scopes, as_of=query.revision)
        with watch.step("embed"):
            embedded = self.embedded(scope, query.text)
        ranked = self.ranking.by(embedded.embedder).rank(principal, scope, query, embedded.vector, watch)
        with watch.step("attribute"):
            hits = self._in_context(principal, ranked, query)
            explanation = self._explained(principal, ranked, hits, as_of=query.revision) if query.explain else None
        freshness = self.freshness(hits) if query.as_of is None else ()
        stale = (STALE_PERMISSIONS,) if ranked.gated.stale_permissions else ()
        late = (STALE_SOURCE,) if any(source.is_late for source in freshness) else ()
        degraded = (*ranked.degraded, *self._model_degraded(embedded), *stale, *late)
        retrieved = Retrieved(
            hits,
            revision=ranked.gated.revision,
            degraded=degraded,
            seconds=watch.seconds,
            explanation=explanation,
            model=embedded.model,
            freshness=freshness,
        )
        return scope, embedded, retrieved

    def freshness(self, hits: Sequence[RetrievedPassage]) -> tuple[SourceFreshness, ...]:
        """Of the sources of hits that have passed the gate, by their ids."""
        if self.sources is None:
            return ()
        return tuple(sorted(self.sources.freshness([hit.passage.source for hit in hits]).values(), key=lambda each: each.source))

    def embedded(self, scope: AccessScope, text: str) -> EmbeddedQuery:
        """By the model that is live for this request. Whatever else the request embeds or searches, it does with the same."""
        if self.models is None:
            return EmbeddedQuery(self.embedder.embed_query(text), self.embedder)
        serving = self.models.serving(scope.revision)
        return EmbeddedQuery(serving.embedder.embed_query(text), serving.embedder, serving.is_live)

    def prepared(self) -> Sequence[Embedder]:
        """Every model that a query may be embedded by from now on, the live one first."""
        return [self.embedder] if self.models is None else self.models.prepared

    def searched(self, retrieved: Retrieved) -> record.Searched:
        """By which model, and over which revision of the index. For the record of what was shown."""
        return record.Searched(retrieved.model, self.index.revision())

    def _model_degraded(self, embedded: EmbeddedQuery) -> tuple[str, ...]:
        if self.models is None:
            return ()
        without_tokens = self.settings.rerank_tokens and token_embedder(embedded.embedder) is None
        return (*((TOKENS,) if without_tokens else ()), *(() if embedded.is_live else (EMBEDDING_MODEL,)))

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

    @cached_property
    def ranking(self) -> PassageRanking:
        """Everything between authorising and attributing."""
        remembered: Remembered[TokenVectors] = Remembered(self.settings.rerank_kept_passages)
        return PassageRanking(self.settings, self.gate, self.index, self.embedder, self.tokens, self.rerankers, self.walks, remembered)

    def _in_context(self, principal: Principal, ranked: Ranked, query: Query) -> tuple[RetrievedPassage, ...]:
        """The first hits, near duplicates collapsed into the best of them and neighbours joined, as the settings say."""
        if not self.settings.hits_collapse_duplicates and not self.settings.hits_join_neighbours:
            return attribute(ranked.hits, ranked.gated.readable, top_k=query.top_k)
        passages = {passage.id: passage for passage in ranked.gated.readable}
        ordered = [passages[hit.passage] for hit in ranked.hits if hit.passage in passages]
        alike = collapse(ordered) if self.settings.hits_collapse_duplicates else {passage.id: () for passage in ordered}
        hits = attribute(ranked.hits, [passages[id_] for id_ in alike], top_k=query.top_k, duplicates=alike)
        if not self.settings.hits_join_neighbours:
            return hits
        joined = stretches([hit.passage for hit in hits], max_characters=self.settings.hits_joined_max_characters)
        texts = self.gate.extracts(principal, list(joined.values()), as_of=query.revision) if joined else {}
        return tuple(_with_extract(hit, joined.get(hit.passage.id), texts) for hit in hits)

    def _explained(self, principal: Principal, ranked: Ranked, hits: Sequence[RetrievedPassage], *, as_of: int | None) -> Explanation:
        passages = {passage.id: passage for passage in ranked.gated.readable}
        found = ranked.found
        return explain(
            hits,
            terms=found.runs.terms,
            phrases=ranked.phrases,
            weights={
                **weights(lexical_weight=found.lexical_weight, with_feedback=found.feedback is not None),
                **({Leg.GRAPH: self.settings.graph_weight} if found.walk is not None else {}),
            },
            fused={hit.passage: hit for hit in found.hits},
            readable_by=self.gate.why(principal, [hit.passage.document for hit in hits], as_of=as_of),
            reranked=ranked.reranked,
            graph_paths={hit.passage.id: self.way(hit.passage.id, found.walk, passages) for hit in hits if found.walk is not None},
        )

    def _current(self, principal: Principal, document: str, version: str | None) -> ReadableDocument:
        found = self.documents.document(principal, document)
        if version not in (None, found.version.id):
            raise NotReadable("not the current version")
        return found


def _with_extract(hit: RetrievedPassage, stretch: Stretch | None, texts: Mapping[Stretch, str]) -> RetrievedPassage:
    if stretch is None or stretch not in texts:
        return hit
    return replace(hit, extract=Extract(stretch.span, texts[stretch]))


def check(query: Query, settings: Settings) -> None:
    """Raises InvalidInput naming each field of the query that breaks a limit."""
    if not query.text.strip():
        raise InvalidInput.of("query", "must not be empty", limit="at least 1 character that is not a space")
    if len(query.text) > settings.query_max_characters:
        raise InvalidInput.of("query", "is too long", limit=f"{settings.query_max_characters} characters")
    if not 1 <= query.top_k <= settings.query_max_top_k:
        raise InvalidInput.of("top_k", "is out of range", limit=f"1 to {settings.query_max_top_k}")
