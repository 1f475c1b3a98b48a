"""Switching the embedding model of a running service: two models that nobody can mistake for each other, and a company's worth of passages.

A vector of `fake@<name>` depends on the text and on the model's name. Every hit therefore tells which model's vectors it was scored by:
only the query's vector and the passage's, both of one model, give that score.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from pipelines.stages.embed import embed_missing
from retrieval.bootstrap import Catalog, Service, open_service
from retrieval.domain.answers import RetrievedPassage
from retrieval.domain.embedding_models import EmbeddingModel, Judgement, Measured, ModelState
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.queries import Query
from retrieval.ports.models import Embedder, Vectors
from retrieval.settings import Settings
from tests.story import ANN, PUBLIC, Story

LIVE, OTHER = "fake@live", "fake@other"
WORDS = ("lantern", "harbour", "ledger", "violin", "granite", "meadow", "cipher", "walnut", "tunnel", "saffron")


@dataclass(frozen=True)
class NamedEmbedder:
    """A unit vector from a model's name and a text; texts that share words are near each other."""

    model: str
    dimensions: int
    max_tokens: int = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        words = [word.strip(".?,").casefold() for word in text.split()]
        total = np.sum([_drawn(f"{self.model} {word}", self.dimensions) for word in words or [""]], axis=0)
        return (total / np.linalg.norm(total)).astype(np.float32)


@lru_cache(maxsize=200_000)
def _drawn(text: str, dimensions: int) -> Vectors:
    seed = list(hashlib.blake2b(text.encode(), digest_size=8).digest())
    return np.random.default_rng(seed).standard_normal(dimensions).astype(np.float32)


DIMENSIONS = 64
EMBEDDERS = {LIVE: NamedEmbedder(LIVE, DIMENSIONS), OTHER: NamedEmbedder(OTHER, DIMENSIONS)}
"""Of equal length on purpose: an engine would compare their vectors without complaint."""


def load(_settings: Settings, model: EmbeddingModel | None) -> Embedder:
    return EMBEDDERS[LIVE if model is None else model.id]


def candidate(id_: str = OTHER) -> EmbeddingModel:
    return EmbeddingModel(
        id_, id_, hashlib.sha256(id_.encode()).hexdigest(), EMBEDDERS[id_].dimensions, ModelState.CANDIDATE, "", "user:dana"
    )


def good(against: str = LIVE) -> Judgement:
    """A comparison that speaks for the candidate."""
    figures = Measured(0.9, 5.0, 1.0, DIMENSIONS)
    return Judgement(against, "2026-01-01T00:00:00.000000Z", 10, figures, figures, ())


def files(count: int, *, number: int = 0) -> dict[str, tuple[str, AccessPolicy]]:
    """Documents of two passages, no two alike."""
    drawn = np.random.default_rng(number)
    return {
        f"{at:05}.md": (f"{' '.join(drawn.choice(WORDS, 5))} {number} {at}. {' '.join(drawn.choice(WORDS, 5))} {at}", PUBLIC)
        for at in range(count)
    }


def sync(catalog: Catalog, story: Story, held: dict[str, tuple[str, AccessPolicy]], *models: str) -> None:
    """List, cut, embed by these models, publish."""
    run = story.start()
    story.record(run, held)
    story.stage(run, held)
    for model in models:
        embed_missing(catalog.embeddings, EMBEDDERS[model], story.source)
    story.publish(run)
    catalog.runs.finish(run, outcome="succeeded")


def backfill(catalog: Catalog, source: str, model: str = OTHER) -> None:
    catalog.embedding_models.backfill(model, by="user:dana")
    embed_missing(catalog.embeddings, EMBEDDERS[model], source, past=True)
    catalog.embedding_models.complete(model, by="user:dana")


def scored_by(hits: Sequence[RetrievedPassage], query: str) -> set[str]:
    """The models whose vectors alone give these hits their dense scores. Empty where no single model does."""
    dense = [(hit.fused.dense_score, hit.passage.text) for hit in hits if hit.fused.dense_score is not None]
    return {
        model
        for model, embedder in EMBEDDERS.items()
        if all(abs(float(embedder.embed_query(query) @ embedder.embed_query(text)) - score) < 1e-3 for score, text in dense)
    }


@contextmanager
def serving(settings: Settings) -> Iterator[Service]:
    with open_service(settings, load=load) as service:
        yield service


@dataclass
class Querying:
    """Threads that ask without pause, and what they were answered."""

    ask: Callable[[str], tuple[str, set[str]]]
    queries: Sequence[str]
    answered: list[tuple[str, set[str]]] = field(default_factory=list)
    failed: list[Exception] = field(default_factory=list)

    @contextmanager
    def running(self, threads: int) -> Iterator["Querying"]:
        stop = threading.Event()

        def work(start: int) -> None:
            at = start
            while not stop.is_set():
                try:
                    self.answered.append(self.ask(self.queries[at % len(self.queries)]))
                except Exception as error:  # noqa: BLE001 - whatever fails is counted
                    self.failed.append(error)
                at += 1

        workers = [threading.Thread(target=work, args=(start,)) for start in range(threads)]
        for worker in workers:
            worker.start()
        try:
            yield self
        finally:
            stop.set()
            for worker in workers:
                worker.join()

    @property
    def mixed(self) -> list[tuple[str, set[str]]]:
        """Answers whose scores are not of the one model that they name."""
        return [(model, by) for model, by in self.answered if model not in by]

    def told(self) -> set[str]:
        return {model for model, _ in list(self.answered)}


def asking(service: Service) -> Callable[[str], tuple[str, set[str]]]:
    def ask(text: str) -> tuple[str, set[str]]:
        retrieved = service.knowledge.retrieve(ANN, Query(text, top_k=10, depth=50))
        return retrieved.model, scored_by(retrieved.hits, text)

    return ask
