"""Embed by another model what is there, source by source, while the live one goes on. What is there already is skipped."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.stages.embed import embed_missing
from retrieval.domain.embedding_models import EmbeddingModel, ModelState
from retrieval.ports.embedding_models import EmbeddingModels
from retrieval.ports.ingestion import EmbeddingStore, TokenStore
from retrieval.ports.models import Embedder

MOST_ROUNDS = 20
"""Runs that began before the model was registered publish meanwhile: what they left is embedded in another round."""


@dataclass(frozen=True)
class BackfillStep:
    """How far a backfill is: of one source, and in all.

    Attributes:
        embedded, left: texts, in all.
        seconds: since it began.
    """

    source: str
    embedded: int
    left: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.embedded / max(self.seconds, 0.001)

    @property
    def seconds_left(self) -> float:
        return self.left / self.per_second if self.embedded else 0.0


@dataclass(frozen=True)
class Stores:
    """Where a backfill reads and writes. Without `tokens` none are kept."""

    models: EmbeddingModels
    embeddings: EmbeddingStore
    tokens: TokenStore | None = None


def backfill(
    stores: Stores, embedder: Embedder, *, by: str, window: int, tell: Callable[[BackfillStep], None] = lambda _step: None
) -> tuple[EmbeddingModel, int]:
    """Make a registered model ready. Returns it and how many texts were embedded.

    Texts of past versions are embedded as well: reading and going back in time need their vectors.

    Raises:
        Conflict: another model is being prepared, or more is published than can be embedded.
        InvalidInput: the model is not registered.
    """
    id_, started, embedded = embedder.model, time.monotonic(), 0
    was_searched = stores.models.backfill(id_, by=by).state in (ModelState.READY, ModelState.LIVE)
    touched: set[str] = set()
    for _ in range(MOST_ROUNDS):
        lacking = [progress for progress in stores.models.progress(id_) if progress.missing]
        left = sum(progress.missing for progress in lacking)
        for progress in lacking:

            def told(done: int, _total: int, source: str = progress.source, before: int = embedded, left: int = left) -> None:
                tell(BackfillStep(source, before + done, max(0, left - done), time.monotonic() - started))

            done = embed_missing(
                stores.embeddings, embedder, progress.source, tokens=stores.tokens, past=True, window=window, progress=told
            )
            embedded, left = embedded + done, max(0, left - done)
            touched.add(progress.source)
        if not lacking:
            break
    if was_searched and touched:
        stores.models.announce(sorted(touched))
    return stores.models.complete(id_, by=by), embedded
