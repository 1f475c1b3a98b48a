"""Curated answers: given again to whoever asks the same and may read all that they cite, and looked after by reviewers and owners."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from retrieval.domain.audit import AuditAction, AuditEntry, actors, documents_of
from retrieval.domain.clock import Clock
from retrieval.domain.curated import CuratedAnswer, CuratedState, ReadableCurated
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.ids import text_hash
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.domain.queries import Query
from retrieval.ports.audit import AuditLog
from retrieval.ports.learning import CuratedChange, CuratedReader, CuratedSearch, CuratedStore
from retrieval.ports.models import Vectors
from retrieval.settings import Settings

Sources = Sequence[str] | None
_LOOKED_AT = 3
"""Matches tried at the gate: the nearest may have been withdrawn since it was found."""


@dataclass(frozen=True)
class Curating:
    """Every method takes the principal first. What it may not read of an answer's documents makes the answer absent.

    `of`: only answers that cite one of these sources are there, as for an owner who is no reviewer.
    """

    settings: Settings
    clock: Clock
    search: CuratedSearch
    store: CuratedStore
    shown: CuratedReader
    audit: AuditLog

    def answer(self, principal: Principal, scope: AccessScope, query: Query, vector: Vectors, *, model: str) -> ReadableCurated | None:
        """What a reviewer has said to the same question, as it passed the gate just now; None when there is nothing.

        The caller records it with what else it shows.

        Raises:
            CatalogUnavailable: it cannot be told what still holds.
        """
        matches = self.search.nearest(scope, query.text, vector, model=model, sources=query.sources, most=_LOOKED_AT)
        for match in matches:
            try:
                found = self.shown.open(principal, match.curated)
            except NotReadable:
                continue
            if found.is_intact and found.answer.state_at(self.clock.now()) is CuratedState.ACTIVE:
                return found
        return None

    def readable(
        self,
        principal: Principal,
        *,
        state: CuratedState | None,
        after: str,
        count: int,
        of: Sources = None,
        request_id: str | None = None,
    ) -> Sequence[ReadableCurated]:
        """At most `count`, in the order of their ids, those after the id `after`. Recorded before it is returned."""
        listed = self.shown.readable(principal, state=state, after=after, count=count, sources=of)
        self._record_shown(principal, listed, request_id)
        return listed

    def retire(self, principal: Principal, curated: str, *, expected: int | None = None, of: Sources = None) -> CuratedAnswer:
        """Nobody is given it from now on. Raises NotReadable, or Conflict when it has changed since `expected`."""
        return self.store.retire(self._change(principal, curated, expected, of))

    def renew(
        self, principal: Principal, curated: str, *, days: int | None = None, expected: int | None = None, of: Sources = None
    ) -> CuratedAnswer:
        """It holds for so many days from now on, also when it was suspended.

        Raises:
            InvalidInput: `days` is out of range.
            NotReadable: for whoever may not read all that it cites.
            Conflict: it is retired or stale, or has changed since `expected`.
        """
        most = self.settings.curated_max_days
        if days is not None and not 1 <= days <= most:
            raise InvalidInput.of("days", "is out of range", limit=f"1 to {most} days")
        expires_at = self.clock.now() + timedelta(days=days or self.settings.curated_days)
        return self.store.renew(self._change(principal, curated, expected, of), expires_at=expires_at)

    def ask_as(
        self, principal: Principal, curated: str, paraphrases: Sequence[str], *, expected: int | None = None, of: Sources = None
    ) -> CuratedAnswer:
        """Replace the other ways to ask it. Raises InvalidInput, NotReadable and Conflict like `renew`."""
        if len(paraphrases) > self.settings.curated_max_paraphrases:
            raise InvalidInput.of("paraphrases", "are too many", limit=f"{self.settings.curated_max_paraphrases} paraphrases")
        if any(not text.strip() or len(text) > self.settings.query_max_characters for text in paraphrases):
            raise InvalidInput.of("paraphrases", "each must be a question", limit=f"1 to {self.settings.query_max_characters} characters")
        return self.store.ask_as(self._change(principal, curated, expected, of), paraphrases)

    def _change(self, principal: Principal, curated: str, expected: int | None, of: Sources) -> CuratedChange:
        """Raises NotReadable: only who may read all that it cites may change it."""
        found = self.shown.open(principal, curated)
        if of is not None and not any(cited.source in of for cited in found.answer.cites):
            raise NotReadable("it stands on none of the sources")
        return CuratedChange(principal.subject, curated, expected)

    def _record_shown(self, principal: Principal, listed: Sequence[ReadableCurated], request_id: str | None) -> None:
        actor, act_for = actors(principal)
        passages = {passage.id: passage for each in listed for passage in each.passages}
        self.audit.record(
            AuditEntry(
                AuditAction.CURATED_READ,
                actor,
                act_for,
                documents=documents_of([(passage, text_hash(passage.text)) for passage in passages.values()]),
                revision=max((each.revision for each in listed), default=None),
                request_id=request_id,
                details={"curated": [each.answer.id for each in listed]},
            )
        )
