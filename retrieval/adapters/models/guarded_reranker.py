"""A reranker behind its guard."""

from collections.abc import Sequence

from retrieval.adapters.resilience.guard import Guard
from retrieval.domain.sources import Classification
from retrieval.ports.models import Reranker


class GuardedReranker:
    """`Reranker`: the same scores, or CallFailed sooner and with less load on what fails."""

    def __init__(self, reranker: Reranker, guard: Guard) -> None:
        self._reranker = reranker
        self._guard = guard

    @property
    def name(self) -> str:
        return self._reranker.name

    @property
    def most_sensitive(self) -> Classification:
        return self._reranker.most_sensitive

    def scores(self, query: str, texts: Sequence[str], *, timeout_seconds: float) -> Sequence[float]:
        if not texts:
            return ()
        return self._guard.call(
            lambda seconds: self._reranker.scores(query, texts, timeout_seconds=seconds), timeout_seconds=timeout_seconds
        )
