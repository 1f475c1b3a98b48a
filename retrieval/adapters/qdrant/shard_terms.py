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

    What was current once is counted when it is first asked for, since few ask: until then it takes no memory.

    Args:
        held: what the shard holds of some documents, or of all when none is named.
        is_empty: whether the shard is known to hold nothing, so that there is nothing to count first.
    """

    def __init__(self, held: Callable[[Sequence[str]], list[Counted]], *, is_empty: bool) -> None:
        self._held = held
        self._counts = TermCounts() if is_empty else None
        self._by_time: TermCounts | None = None
        self._counting = threading.RLock()
        """Held while the shard changes, too: what is half changed is not counted."""

    def counts(self) -> TermCounts:
        """Of what is current. Counted first, if need be: 1 s for 100,000 passages.

        Raises:
            IndexUnavailable: the shard cannot be read.
        """
        if (known := self._counts) is not None:
            return known
        with self._counting:
            if self._counts is None:
                self._counts = self._counted(TermCounts())
            return self._counts

    def counts_by_time(self) -> TermCounts:
        """Of what is or was current, like `counts`."""
        if (known := self._by_time) is not None:
            return known
        with self._counting:
            if self._by_time is None:
                self._by_time = self._counted(TermCounts(by_time=True))
            return self._by_time

    def readable(self, scope: AccessScope) -> int:
        """How many passages the scope's classes hold, now or at its moment."""
        return self._asked_of(scope).passages(scope.classes, as_of=scope.as_of)

    def weighed(self, scope: AccessScope, sources: Sequence[str], request: LegRequest) -> LegRequest:
        """A lexical request with its terms weighed by how rare they are among what may be read; another as it is."""
        if request.leg is not Leg.LEXICAL:
            return request
        assert isinstance(request.vector, Terms)
        rarities = self._asked_of(scope).idf(scope.classes, sources, request.vector.hashes, as_of=scope.as_of)
        weights = [weight * rarity for weight, rarity in zip(request.vector.weights, rarities, strict=True)]
        return replace(request, vector=Terms(request.vector.hashes, weights))

    @contextmanager
    def recounting(self, documents: Sequence[str]) -> Iterator[list[Counted]]:
        """These documents are being changed: what the list holds in the end is counted instead of what they held.

        A change that fails may be half made: then everything is counted anew.
        """
        with self._counting:
            kept = [self.counts(), *([self._by_time] if self._by_time is not None else [])]
            after = list[Counted]()
            before = self._held(documents) if documents else []
            try:
                yield after
            except BaseException:
                self._counts = self._by_time = None
                raise
            for counts in kept:
                counts.count(after, before)

    def _asked_of(self, scope: AccessScope) -> TermCounts:
        return self.counts() if scope.as_of is None else self.counts_by_time()

    def _counted(self, counts: TermCounts) -> TermCounts:
        counts.count(self._held(()))
        return counts
