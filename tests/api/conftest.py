"""A small company's documents in a real catalog, behind the real application. Only the model and the engine are stand-ins.

Who may read what is decided by the real catalog's scopes and gate. The engine's own permission filter has its tests beside its adapter.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from retrieval.access_service import AccessService
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.adapters.qdrant.payload import HeldPassage, points_of
from retrieval.answer_service import AnswerService
from retrieval.citation_service import CitationService
from retrieval.domain.embedding_models import EmbeddingModel
from retrieval.domain.errors import ArchivistError
from retrieval.domain.ids import text_hash
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import EVERYONE, AccessScope, Principal
from retrieval.domain.phrases import holds
from retrieval.domain.runs import Hit, Leg, Run
from retrieval.escalation_service import EscalationService
from retrieval.graph_service import GraphService
from retrieval.learning_service.service import LearningService
from retrieval.lineage_service import LineageService
from retrieval.ports.generation import Generator
from retrieval.ports.models import Vectors
from retrieval.ports.reading import LegRuns, LegSearch
from retrieval.push_service import PushService
from retrieval.review_service import ReviewService
from retrieval.service import KnowledgeService
from retrieval.services import Services
from retrieval.settings import Settings
from retrieval.version_service import VersionReading
from tests.story import Story, allow

DIMENSIONS = 256
SECRET_WORDS = ("Nightingale", "merger", "takeover")
FILES = {
    "travel.txt": ("Everybody may work from abroad for 30 days. Ask your manager first.", allow(EVERYONE)),
    "expenses.txt": ("Travel expenses are paid within 14 days. Keep the receipts.", allow(EVERYONE)),
    "nightingale.txt": ("The merger Nightingale is a takeover of 30 days. Tell nobody abroad.", allow("group:board")),
}


class FakeEmbedder:
    """A bag of words: texts that share words are near. No model is loaded."""

    model = "fake@1"
    dimensions = DIMENSIONS
    max_tokens = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        vector = np.full(DIMENSIONS, 1e-3, dtype=np.float32)
        for word in _words(text):
            vector[int(text_hash(word)[:8], 16) % DIMENSIONS] += 1
        return vector / np.linalg.norm(vector)


@dataclass
class ScanIndex:
    """A `PassageSearch` that looks at every passage of the scope's classes."""

    story: Story
    embedder: FakeEmbedder
    failure: ArchivistError | None = None
    searches: list[LegSearch] = field(default_factory=list)

    def search(self, scope: AccessScope, search: LegSearch) -> LegRuns:
        self.searches.append(search)
        if self.failure is not None:
            raise self.failure
        held = {id_: text for id_, text in self._held(scope, search.sources).items() if holds(search.phrases, text)}
        lexical = [Hit(id_, float(shared)) for id_, text in held.items() if (shared := len(_words(text) & _words(search.text)))]
        dense = [Hit(id_, float(self.embedder.embed_query(text) @ np.asarray(search.vector))) for id_, text in held.items()]
        runs = (Run.ranked(leg, hits, depth=search.depth) for leg, hits in ((Leg.LEXICAL, lexical), (Leg.DENSE, dense)))
        return LegRuns(*runs, terms=tuple(sorted(_words(search.text))) if search.explain else ())

    def texts(self, scope: AccessScope, passages: Sequence[str]) -> Mapping[str, str]:
        held = self._held(scope, ())
        return {id_: held[id_] for id_ in passages if id_ in held}

    def vectors(self, scope: AccessScope, passages: Sequence[str], *, model: str = "") -> Mapping[str, Vectors]:
        return {id_: self.embedder.embed_query(text) for id_, text in self.texts(scope, passages).items()}

    def revision(self) -> int:
        return self.story.feed.revision()

    def _held(self, scope: AccessScope, sources: Sequence[str]) -> dict[str, str]:
        feed = CatalogFeed(self.story.catalog.database, self.story.model, past_days=90)
        with feed.snapshot() as (_, documents):
            mine = [d for d in documents if d.access_class in scope.classes and (not sources or d.source in sources)]
        return {point.passage.id: point.passage.text for point in points_of(mine) if _is_asked_for(point, scope.as_of)}


@dataclass
class FakeClock:
    at: datetime = datetime(2026, 3, 1, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@dataclass
class World:
    """The wiring that the application is given, and what a test does to it."""

    settings: Settings
    catalog: Catalog
    story: Story
    index: ScanIndex
    clock: FakeClock = field(default_factory=FakeClock)
    generators: Sequence[Generator] = ()
    token_key: bytes = bytes(range(32))
    parts: list[tuple[str, bool, str]] = field(default_factory=lambda: [("catalog", True, "readable"), ("index", True, "following")])

    @cached_property
    def knowledge(self) -> KnowledgeService:
        catalog, gate = self.catalog, self.catalog.gate
        read = (gate, gate, catalog.documents, self.index)
        return KnowledgeService(self.settings, *read, self.index.embedder, catalog.audit, sources=catalog.health)

    @cached_property
    def services(self) -> Services:
        return Services(
            settings=self.settings, catalog=self.catalog, knowledge=self.knowledge, clock=self.clock, generators=self.generators
        )

    @property
    def answers(self) -> AnswerService:
        return self.services.answers

    @property
    def graph(self) -> GraphService:
        return self.services.graph

    @property
    def escalations(self) -> EscalationService:
        return self.services.escalations

    @property
    def reviews(self) -> ReviewService:
        return self.services.reviews

    @property
    def versions(self) -> VersionReading:
        return self.services.versions

    @property
    def citations(self) -> CitationService:
        return self.services.citations

    @property
    def access(self) -> AccessService:
        return self.services.access

    @property
    def lineage(self) -> LineageService:
        return self.services.lineage

    @property
    def pushing(self) -> PushService:
        return self.services.pushing

    @property
    def learning(self) -> LearningService:
        return self.services.learning

    def embedding_models(self) -> Sequence[tuple[EmbeddingModel, bool]]:
        return self.services.embedding_models()

    def readiness(self) -> list[tuple[str, bool, str]]:
        return self.parts

    def key(self, name: str, *groups: str, days: int | None = None) -> str:
        """A new key for a principal who from now on is in exactly these groups."""
        principal = Principal(name)
        self.catalog.directory.set_groups(principal.subject, groups)
        key = ApiKey.generate()
        expires_at = None if days is None else self.clock.at + timedelta(days=days)
        self.catalog.keys.add(StoredApiKey(key.id, key.secret_hash, principal, "", self.clock.at, expires_at))
        return key.written

    def document(self, key: str) -> str:
        return self.story.document(key)

    def app(self) -> FastAPI:
        return create_app(self, clock=self.clock)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the documents published; every test works on a copy."""
    directory = tmp_path_factory.mktemp("published")
    catalog = open_catalog(Settings(data_directory=directory))
    Story(catalog).sync(FILES)
    catalog.close()
    return directory


@pytest.fixture
def world(published: Path, tmp_path: Path) -> Iterator[World]:
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    settings = Settings(data_directory=tmp_path, answer_min_support=0.1, request_max_bytes=2048, extract_context_characters=10)
    catalog = open_catalog(settings)
    story = Story(catalog, runs=1)
    yield World(settings, catalog, story, ScanIndex(story, FakeEmbedder()))
    catalog.close()


@pytest.fixture
def api(world: World) -> Iterator[TestClient]:
    with TestClient(world.app(), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def ann(world: World) -> dict[str, str]:
    """Reads what everyone reads."""
    return {"Authorization": f"Bearer {world.key('ann')}"}


@pytest.fixture
def bea(world: World) -> dict[str, str]:
    """Sits on the board."""
    return {"Authorization": f"Bearer {world.key('bea', 'group:board')}"}


def _is_asked_for(point: HeldPassage, as_of: int | None) -> bool:
    return point.is_current if as_of is None else any(start <= as_of < end for start, end in point.intervals)


def _words(text: str) -> set[str]:
    return {word.strip(".,?").lower() for word in text.split()}
