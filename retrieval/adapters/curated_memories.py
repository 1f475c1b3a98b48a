"""Curated answers under every model that this process can embed by, so that none is forgotten when another becomes live."""

from collections.abc import Callable, Sequence

from retrieval.adapters.curated_memory import CuratedMemory
from retrieval.domain.curated import CuratedMatch
from retrieval.domain.permissions import AccessScope
from retrieval.ports.models import Embedder, Vectors


class CuratedMemories:
    """`CuratedSearch`: one memory for each model.

    Args:
        make: the memory under one model.
        prepared: the models there are now.
    """

    def __init__(self, make: Callable[[Embedder], CuratedMemory], prepared: Callable[[], Sequence[Embedder]]) -> None:
        self._make = make
        self._prepared = prepared
        self._memories = {embedder.model: make(embedder) for embedder in prepared()}

    def nearest(
        self, scope: AccessScope, question: str, vector: Vectors, *, model: str, sources: Sequence[str] = (), most: int = 1
    ) -> tuple[CuratedMatch, ...]:
        memory = self._memories.get(model)
        return () if memory is None else memory.nearest(scope, question, vector, model=model, sources=sources, most=most)

    def refresh(self) -> None:
        """Embed, under each model, the questions that have no vector yet. Called by one thread."""
        prepared = {embedder.model: embedder for embedder in self._prepared()}
        memories = {model: self._memories.get(model) or self._make(embedder) for model, embedder in prepared.items()}
        for memory in memories.values():
            memory.refresh()
        self._memories = memories
