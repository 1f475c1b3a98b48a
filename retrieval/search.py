"""From a query to passages that may be shown, in their order: search, feed back, fuse, follow the graph, gate, rerank.

Whatever the gate withholds has shaped nothing of what is returned: it is all done again without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.explanations import Reranked
from retrieval.domain.passages import ReadablePassage, embedded_text
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.domain.phrases import checked_phrases
from retrieval.domain.queries import Query
from retrieval.domain.runs import SCORE_DECIMALS, FusedHit, Leg, Run
from retrieval.ports.graph_search import GraphSearch
from retrieval.ports.models import Embedder, Reranker, TokenVectors, Vectors, cleared, token_embedder
from retrieval.ports.reading import Candidate, Gated, GateReader, LegRuns, LegSearch, PassageSearch, TokenReader
from retrieval.remembered import Remembered
from retrieval.settings import Settings
from retrieval.steps import feature_model, graph, weights
from retrieval.steps.features import Compared
from retrieval.steps.feedback import feedback_vector
from retrieval.steps.fuse import fuse_as
from retrieval.steps.order import reordered
from retrieval.steps.rerank import rerank
from retrieval.stopwatch import Stopwatch

_logger = structlog.get_logger("retrieval.service")

GATE_MARGIN = 10
"""Passages gated beyond the top k, so that a few withheld ones do not shorten the result."""
MOST_ATTEMPTS = 6
"""Each begins again without what the one before found to be withheld. For an index that stays behind three are enough; permissions may also
change meanwhile."""

RERANK = "rerank"
GRAPH = "graph"
"""In `degraded`: a reranker that the settings name did not answer; the graph is not loaded, or asked of a moment that it does not know."""


@dataclass(frozen=True)
class Asking:
    """One query under way: who asks what, under which scope, how it is searched, and how long each step takes.

    Attributes:
        applied: the catalog revision that the index had applied at least when it was searched.
    """

    principal: Principal
    scope: AccessScope
    query: Query
    search: LegSearch
    vector: Vectors
    watch: Stopwatch
    applied: int = 0


@dataclass(frozen=True)
class Found:
    """What one attempt found.

    Attributes:
        hits: fused, best first.
        runs: of both legs.
        lexical_weight: the lexical leg's share in the fused score.
        feedback: of the dense leg's second search; None when there was none.
        walk: of the graph leg; None when it was not asked.
        degraded: legs that should have run and did not.
    """

    hits: tuple[FusedHit, ...]
    runs: LegRuns
    lexical_weight: float
    feedback: Run | None = None
    walk: graph.GraphRun | None = None
    degraded: tuple[str, ...] = ()

    def shaped_by(self, first: int) -> list[str]:
        """The first hits and the passages that the walk began at or came by: each has shaped the graph's scores."""
        walked = [*self.walk.starts, *(place for step in self.walk.steps for place in (step.passage, step.to))] if self.walk else []
        return list(dict.fromkeys([*(hit.passage for hit in self.hits[:first]), *walked]))


@dataclass(frozen=True)
class Ranked:
    """What may be shown.

    Attributes:
        hits: readable ones, best first, with their final scores.
        gated: all that passed the gate.
        reranked: by passage id; what the reranker made of the hits it saw. Contributions only if they were asked for.
    """

    hits: tuple[FusedHit, ...]
    gated: Gated
    found: Found
    phrases: tuple[str, ...] = ()
    reranked: Mapping[str, Reranked] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True)
class PassageRanking:
    """Everything between authorising and attributing. `tokens`, `rerankers` and `walks` are what the service can do without."""

    settings: Settings
    gate: GateReader
    index: PassageSearch
    embedder: Embedder
    tokens: TokenReader | None = None
    rerankers: Sequence[Reranker] = ()
    walks: GraphSearch | None = None
    remembered: Remembered[TokenVectors] = field(default_factory=lambda: Remembered(0))

    def by(self, embedder: Embedder) -> "PassageRanking":
        """The same for a query that this model embedded."""
        return self if embedder is self.embedder else replace(self, embedder=embedder)

    def rank(self, principal: Principal, scope: AccessScope, query: Query, vector: Vectors, watch: Stopwatch) -> Ranked:
        """The passages for a query, as they may be shown. Raises like `KnowledgeService.retrieve`."""
        search = LegSearch(
            query.text,
            vector,
            query.depth,
            query.sources,
            max(query.at_least, query.revision or 0),
            phrases=self._phrases(query),
            explain=query.explain,
            model=self.embedder.model,
        )
        with watch.step("legs"):
            asking = Asking(principal, scope, query, search, vector, watch, self.index.revision())
            runs = self.index.search(scope, search)
        found, gated = self._readable(asking, runs)
        return replace(self._reranked(asking, found, gated), phrases=search.phrases)

    def compared(self, scope: AccessScope, search: LegSearch, vector: Vectors) -> Compared:
        """What the feature reranker would compare, ungated: to learn from, over passages that all may be read."""
        asking = Asking(scope.principal, scope, Query(search.text, top_k=1, depth=search.depth), search, vector, Stopwatch())
        found = self._found(asking, self.index.search(scope, search), frozenset())
        return self._compared(scope, search.text, found.hits[: self.settings.rerank_passages])

    def _phrases(self, query: Query) -> tuple[str, ...]:
        if not self.settings.query_phrases_must_match:
            return ()
        return checked_phrases(query.text, most=self.settings.query_max_phrases, most_words=self.settings.query_max_phrase_words)

    def _readable(self, asking: Asking, runs: LegRuns) -> tuple[Found, Gated]:
        """What is found without anything that the gate withholds.

        The index may be behind the catalog and find what was just revoked. Scores are normalised over all that is found, the feedback
        starts from what was found first, so whatever is withheld is left out from the beginning. The graph is not asked again. Only
        where index, scope and gate are of one revision is what follows the head known to be readable without asking.
        """
        head = max(asking.query.top_k + GATE_MARGIN, self.settings.rerank_passages)
        withheld: frozenset[str] = frozenset()
        for _ in range(MOST_ATTEMPTS):
            found = self._found(asking, runs, withheld)
            if asking.applied == asking.scope.revision:
                wanted = found.shaped_by(head)
                gated = self._through_gate(asking, wanted)
                if len(gated.readable) == len(wanted) and gated.revision == asking.applied:
                    return found, gated
            wanted = found.shaped_by(len(found.hits))
            gated = self._through_gate(asking, wanted)
            if len(gated.readable) == len(wanted):
                return found, gated
            withheld |= set(wanted) - {passage.id for passage in gated.readable}
        raise IndexUnavailable("what may be read changes faster than it can be searched", retry_after_seconds=1)

    def _found(self, asking: Asking, runs: LegRuns, withheld: frozenset[str]) -> Found:
        if withheld:
            runs = runs.without(withheld)
        method = self.settings.fusion
        with asking.watch.step("fuse"):
            weight = self._lexical_weight(asking.query.text, runs)
            hits = fuse_as(method, runs.lexical, runs.dense, lexical_weight=weight)
        feedback = self._feedback(asking, hits)
        if feedback is not None:
            feedback = feedback.without(withheld)
            with asking.watch.step("fuse"):
                hits = fuse_as(method, runs.lexical, runs.dense, lexical_weight=weight, feedback=feedback)
        found = Found(hits, runs, weight, feedback)
        return found if withheld else self._walked(asking, found)

    def _lexical_weight(self, text: str, runs: LegRuns) -> float:
        base = self.settings.fusion_lexical_weight
        if self.settings.fusion_weights == "fixed":
            return base
        return weights.lexical_weight(weights.signals(text, runs.lexical, runs.dense), base)

    def _feedback(self, asking: Asking, hits: Sequence[FusedHit]) -> Run | None:
        """The dense leg once more, from the query and the best hits; under the same filter."""
        best = [hit.passage for hit in hits[: self.settings.feedback_passages]]
        if not best:
            return None
        with asking.watch.step("feedback"):
            vectors = self.index.vectors(asking.scope, best, model=asking.search.model)
            moved = feedback_vector(
                asking.vector, [vectors[passage] for passage in best if passage in vectors], weight=self.settings.feedback_weight
            )
            run = self.index.search(asking.scope, replace(asking.search, text="", vector=moved, explain=False)).dense
        return Run(Leg.FEEDBACK, run.hits)

    def _walked(self, asking: Asking, found: Found) -> Found:
        """With what the graph adds. It would add passages without a phrase that is looked for, and it knows nothing of the past."""
        if self.walks is None or not self.settings.graph_weight or asking.search.phrases:
            return found
        if asking.scope.as_of is not None:
            return replace(found, degraded=(GRAPH,))
        with asking.watch.step("graph"):
            try:
                view = self.walks.view(asking.scope, sources=asking.search.sources)
            except IndexUnavailable:
                return replace(found, degraded=(GRAPH,))
            walk = graph.graph_hits(
                asking.search.text, found.hits, view, lambda passages: self.index.texts(asking.scope, passages), depth=asking.search.depth
            )
            hits = graph.with_graph(found.hits, walk.run, weight=self.settings.graph_weight)
        return replace(found, hits=hits, walk=walk)

    def _through_gate(self, asking: Asking, passages: Sequence[str]) -> Gated:
        with asking.watch.step("gate"):
            texts = self.index.texts(asking.scope, passages)
            candidates = [Candidate(passage, texts[passage]) for passage in passages if passage in texts]
            gated = self.gate.gate(asking.principal, candidates, at_least=asking.search.at_least, as_of=asking.scope.as_of)
        if gated.altered:
            _logger.error("passages_altered_in_index", passages=gated.altered, revision=gated.revision)
        return gated

    def _reranked(self, asking: Asking, found: Found, gated: Gated) -> Ranked:
        passages = {passage.id: passage for passage in gated.readable}
        head = [hit for hit in found.hits if hit.passage in passages][: self.settings.rerank_passages]
        if not head:
            return Ranked(found.hits, gated, found, degraded=found.degraded)
        with asking.watch.step("rerank"):
            texts = [passages[hit.passage] for hit in head]
            allowed = cleared(self.rerankers, [passage.classification for passage in texts])
            by_text = rerank(asking.query.text, [_shown(passage) for passage in texts], allowed, self.settings.rerank_timeout_seconds)
            degraded = (*found.degraded, RERANK) if by_text.failed else found.degraded
            if by_text.scores is not None:
                scores, explained = by_text.scores, [Reranked(by_text.by or "", score) for score in by_text.scores]
            else:
                scores, explained = self._by_features(asking, head)
            hits = reordered(
                found.hits,
                {hit.passage: score for hit, score in zip(head, scores, strict=True)},
                graph_weight=self.settings.graph_weight,
            )
        if allowed:  # it took its time, and the texts have been elsewhere: what is shown is what may be read now
            gated = self._through_gate(asking, [hit.passage for hit in hits if hit.passage in passages])
        reranked = dict(zip((hit.passage for hit in head), explained, strict=True))
        return Ranked(hits, gated, found, reranked=reranked, degraded=degraded)

    def _by_features(self, asking: Asking, head: Sequence[FusedHit]) -> tuple[tuple[float, ...], list[Reranked]]:
        compared = self._compared(asking.scope, asking.query.text, head)
        scored = feature_model.score(compared)
        told: Sequence[Mapping[str, float]] = scored.contributions() if asking.query.explain else [{}] * len(head)
        rounded = tuple(round(score, SCORE_DECIMALS) for score in scored.scores)
        return rounded, [Reranked(feature_model.NAME, *one) for one in zip(rounded, told, strict=True)]

    def _compared(self, scope: AccessScope, text: str, head: Sequence[FusedHit]) -> Compared:
        wanted = [hit.passage for hit in head]
        query, known = self.token_vectors(scope, text, wanted)
        return Compared(head, query, [known.get(passage) for passage in wanted] if query is not None else ())

    def token_vectors(self, scope: AccessScope, text: str, wanted: Sequence[str]) -> tuple[TokenVectors | None, Mapping[str, TokenVectors]]:
        """The tokens of a query and, by passage id, those of gated passages; none at all where the model tells of none."""
        telling = token_embedder(self.embedder)
        if telling is None or self.tokens is None or not self.settings.rerank_tokens:
            return None, {}
        model = self.embedder.model
        known = {passage: tokens for passage in wanted if (tokens := self.remembered.get(f"{model} {passage}")) is not None}
        missing = [passage for passage in wanted if passage not in known]
        if missing:
            read = self.tokens.tokens(scope, model, missing)
            self.remembered.keep({f"{model} {passage}": tokens for passage, tokens in read.items()})
            known.update(read)
        return telling.query_tokens(text), known


def _shown(passage: ReadablePassage) -> str:
    """What a reranker reads of a passage."""
    return embedded_text(" > ".join(dict.fromkeys((passage.title, *passage.heading_path))), passage.text)
