"""A source that is embedded with tokens by the bundled model, and the read path over it: real catalog, real engine, real graph."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.stages.embed import embed_missing
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.graph.memory import MemoryGraph
from retrieval.adapters.graph.paths import names_to
from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.domain.answers import Retrieved
from retrieval.domain.passages import IndexedPassage
from retrieval.domain.permissions import AccessPolicy, AccessScope
from retrieval.domain.queries import Query
from retrieval.domain.runs import Hit, Leg, Run
from retrieval.indexing.following import FollowingSearch
from retrieval.indexing.graph import FollowingGraph, GraphFollower
from retrieval.indexing.owner import IndexOwner
from retrieval.ports.models import TokenVectors, Vectors
from retrieval.ports.reading import LegRuns, LegSearch, PassageSearch
from retrieval.service import KnowledgeService
from retrieval.settings import Settings
from tests.retrieval.indexing.world import InProcessBuilder
from tests.story import PUBLIC, Story, allow

CATCH_UP_SECONDS = 20.0
Files = Mapping[str, tuple[str, AccessPolicy]]

SENTENCES = (
    "Trips abroad are approved by the head of the department.",
    "Every trip abroad needs an approval before it is booked.",
    "Hotels abroad are booked by the travel office.",
    "Approval of a trip takes two working days.",
    "Who travels by train is paid a first class ticket.",
    "Invoices of hotels are sent to the accounts team.",
    "Rental cars are insured by the company.",
    "Meals on a journey are paid up to a daily amount.",
    "Parents may stay at home for six months.",
    "The canteen closes at three o'clock.",
    "Bicycles are kept in the cellar.",
    "Passwords are changed every ninety days.",
    "The pump is serviced twice a year.",
    "New colleagues are welcomed on Mondays.",
    "Printers are leased from a supplier.",
    "The lift is inspected in March.",
)
FILES = {f"{number:02}.md": (text, PUBLIC) for number, text in enumerate(SENTENCES)}
LEXICAL = dict(zip(SENTENCES, (5.0, 9.0, 4.0, 6.0, 1.0), strict=False))
ASKED = "Who approves trips abroad?"
QUERY = Query(ASKED, top_k=5, depth=100, explain=True)
WORDS = Query(SENTENCES[3], top_k=5, depth=100)


def revoked(text: str) -> Files:
    """The same files, one of which Ann may not read any more."""
    return {key: (held, allow("user:bob") if held == text else policy) for key, (held, policy) in FILES.items()}


@dataclass
class RecordedTokens:
    """The catalog's tokens, and which passages they were asked for."""

    catalog: Catalog
    asked: list[str] = field(default_factory=list)

    def tokens(self, scope: AccessScope, model: str, wanted: Sequence[str]) -> Mapping[str, TokenVectors]:
        self.asked += wanted
        return self.catalog.token_vectors.tokens(scope, model, wanted)


@dataclass
class Served:
    """One catalog. `graph` is loaded when it is first asked."""

    settings: Settings
    embedder: SentenceTransformerEmbedder
    catalog: Catalog
    stories: dict[str, Story] = field(default_factory=dict)
    graph: MemoryGraph = field(default_factory=MemoryGraph)

    def story(self, source: str = "handbook") -> Story:
        if source not in self.stories:
            self.stories[source] = Story(self.catalog, source, model=self.embedder.model, dimensions=self.embedder.dimensions)
        return self.stories[source]

    def sync(self, files: Files, *, source: str = "handbook") -> None:
        """The whole chain for one source."""
        story = self.story(source)
        run = story.start()
        story.record(run, files)
        story.stage(run, files)
        embed_missing(self.catalog.embeddings, self.embedder, source, tokens=self.catalog.token_vectors)
        story.publish(run)
        story.relate(run)
        self.catalog.runs.finish(run, outcome="succeeded")

    def list_again(self, files: Files, *, source: str = "handbook") -> None:
        """Permissions take effect, contents do not."""
        story = self.story(source)
        story.record(story.start(), files)

    @property
    def passages(self) -> list[IndexedPassage]:
        """Of all sources."""
        with self.story().feed.snapshot() as (_, documents):
            return [passage for document in documents for passage in document.passages]

    @contextmanager
    def index(self, directory: Path, *, following: bool = True) -> Iterator[PassageSearch]:
        """The real engine over what is published."""
        identity = IndexIdentity(self.embedder.model, self.embedder.dimensions)
        feed = self.story().feed
        index = EdgeIndex.open(directory, identity)
        owner = IndexOwner(feed, index, InProcessBuilder(feed, identity), batch_documents=64, renew_after_passages=1_000_000)
        owner.rebuild()
        try:
            yield FollowingSearch(index, lambda _needed: owner.catch_up(CATCH_UP_SECONDS)) if following else index
        finally:
            owner.close()

    def walks(self, *, loaded: bool = True) -> FollowingGraph:
        follower = GraphFollower(self.catalog.graph_feed, self.graph, batch_documents=64)
        if loaded:
            follower.follow()
        return FollowingGraph(self.graph, follower, self.graph.applied_revision, catch_up_seconds=0.2)

    def service(self, index: PassageSearch, *, settings: Mapping[str, Any] | None = None, **parts: Any) -> KnowledgeService:
        """The read path. `settings` are changed ones, `parts` those of the service that are not the catalog's own."""
        chosen = {"gate": self.catalog.gate, "tokens": self.catalog.token_vectors, "way": names_to} | parts
        return KnowledgeService(
            self.settings.model_copy(update=dict(settings or {})),
            self.catalog.gate,
            chosen.pop("gate"),
            self.catalog.documents,
            index,
            self.embedder,
            self.catalog.audit,
            **chosen,
        )


@contextmanager
def served(settings: Settings, embedder: SentenceTransformerEmbedder, *, copied_from: Path | None = None) -> Iterator[Served]:
    """A catalog of its own: empty, or the copy of one that was closed after one run of its source."""
    if copied_from is not None:
        shutil.copytree(copied_from, settings.data_directory, dirs_exist_ok=True)
    made = Served(settings, embedder, open_catalog(settings))
    made.story().runs = int(copied_from is not None)
    try:
        yield made
    finally:
        made.catalog.close()


@dataclass
class StaleIndex:
    """Finds every passage that it holds, readable or not, as an index does that has not heard of a change yet.

    Attributes:
        held: passage id to text.
        known: passage id to vector.
        lexical: text to the lexical leg's score.
        at: the revision that it says it has applied.
        while_searched: happens once, between who asks being authorised and the gate.
    """

    held: Mapping[str, str]
    known: Mapping[str, Vectors]
    lexical: Mapping[str, float]
    at: int = 0
    while_searched: list[Callable[[], object]] = field(default_factory=list)

    @classmethod
    def of(cls, passages: Sequence[IndexedPassage], lexical: Mapping[str, float]) -> "StaleIndex":
        held = {passage.id: passage.text for passage in passages}
        return cls(held, {passage.id: np.asarray(passage.vector, dtype=np.float32) for passage in passages}, lexical)

    def without(self, text: str) -> "StaleIndex":
        return replace(self, held={id_: held for id_, held in self.held.items() if held != text})

    def search(self, _scope: AccessScope, search: LegSearch) -> LegRuns:
        while self.while_searched:
            self.while_searched.pop()()
        words = [Hit(id_, self.lexical[text]) for id_, text in self.held.items() if search.text and text in self.lexical]
        near = [Hit(id_, float(self.known[id_] @ np.asarray(search.vector))) for id_ in self.held]
        return LegRuns(Run.ranked(Leg.LEXICAL, words, depth=search.depth), Run.ranked(Leg.DENSE, near, depth=search.depth))

    def texts(self, _scope: AccessScope, passages: Sequence[str]) -> Mapping[str, str]:
        return {id_: self.held[id_] for id_ in passages if id_ in self.held}

    def vectors(self, _scope: AccessScope, passages: Sequence[str], *, model: str = "") -> Mapping[str, Vectors]:
        return {id_: self.known[id_] for id_ in passages if id_ in self.held}

    def revision(self) -> int:
        return self.at


def shown(retrieved: Retrieved) -> list[object]:
    """All that a caller gets but for times and revisions."""
    hits = [(hit.rank, hit.score, hit.passage.id, hit.citation, hit.fused, hit.duplicates, hit.extract) for hit in retrieved.hits]
    return [*hits, retrieved.degraded, retrieved.explanation]


def texts(retrieved: Retrieved) -> list[str]:
    return [hit.passage.text for hit in retrieved.hits]
