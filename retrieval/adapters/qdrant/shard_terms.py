"""The counts of one shard's terms, kept true to what the shard holds, and queries weighed by them."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from retrieval.adapters.qdrant.bm25 import Terms
from retrieval.adapters.qdrant.legs import LegRequest
from retrieval.adapters.qdrant.term_counts import Counted, TermCounts
from retrieval.domain.permissions import AccessScope
from retrieval.domain.runs import Leg


class ShardTerms:
    """Safe for many readers beside one writer; the caller keeps it to one writer.

    Args:
        held: what the shard holds of some documents, or of all when none is named.
        is_empty: whether the shard is known to hold nothing, so that there is nothing to count first.
    """

    def __init__(self, held: Callable[[Sequence[str]], list[Counted]], *, is_empty: bool) -> None:
        self._held = held
        self._counts = TermCounts() if is_empty else None
        self._counting = threading.Lock()

    def counts(self) -> TermCounts:
        """Counted first, if need be: 1 s for 100,000 passages.

        Raises:
            IndexUnavailable: the shard cannot be read.
        """
        if (known := self._counts) is not None:
            return known
        with self._counting:
            if self._counts is None:
                fresh = TermCounts()
                fresh.count(self._held(()))
                self._counts = fresh
            return self._counts

    def weighed(self, scope: AccessScope, sources: Sequence[str], request: LegRequest) -> LegRequest:
        """A lexical request with its terms weighed by how rare they are among what may be read; another as it is."""
        if request.leg is not Leg.LEXICAL:
            return request
        assert isinstance(request.vector, Terms)
        rarities = self.counts().idf(scope.classes, sources, request.vector.hashes)
        weights = [weight * rarity for weight, rarity in zip(request.vector.weights, rarities, strict=True)]
        return replace(request, vector=Terms(request.vector.hashes, weights))

    @contextmanager
    def recounting(self, documents: Sequence[str]) -> Iterator[list[Counted]]:
        """These documents are being changed: what the list holds in the end is counted instead of what they held.

        A change that fails may be half made: then everything is counted anew.
        """
        counts, after = self.counts(), list[Counted]()
        before = self._held(documents) if documents else []
        try:
            yield after
        except BaseException:
            self._counts = None
            raise
        counts.count(after, before)
