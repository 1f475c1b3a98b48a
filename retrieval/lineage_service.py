"""What auditors ask: lineage and recalls. Every read is recorded before anything of it is returned, every vain one too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from retrieval.domain.audit import AuditAction, AuditEntry, actors
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.lineage import Showing, TracedAnswer, TracedDocument, TracedRun
from retrieval.domain.permissions import Principal
from retrieval.domain.recalls import Recall, RecallRequest
from retrieval.ports.audit import AuditLog
from retrieval.ports.lineage import LineageReader, Recalls
from retrieval.settings import Settings

Found = TypeVar("Found")


@dataclass(frozen=True)
class LineageService:
    """Who may ask is the caller's to see to; what is shown does not depend on what they may read."""

    settings: Settings
    lineage: LineageReader
    recalls: Recalls
    audit: AuditLog

    def answer(self, principal: Principal, answer: str, *, request_id: str | None = None) -> TracedAnswer:
        """Raises NotReadable."""
        entry = _entry(principal, AuditAction.LINEAGE_READ, request_id, answer=answer)
        return self._recorded(entry, answer, lambda: self.lineage.answer(answer))

    def run(self, principal: Principal, run: str, *, limit: int | None = None, request_id: str | None = None) -> TracedRun:
        """Raises NotReadable, and InvalidInput naming `limit`."""
        most = self._limit(limit)
        entry = _entry(principal, AuditAction.LINEAGE_READ, request_id, run=run)
        return self._recorded(entry, run, lambda: self.lineage.run(run, limit=most))

    def document(self, principal: Principal, document: str, *, limit: int | None = None, request_id: str | None = None) -> TracedDocument:
        """Raises NotReadable, and InvalidInput naming `limit`."""
        most = self._limit(limit)
        entry = _entry(principal, AuditAction.LINEAGE_READ, request_id, document=document)
        return self._recorded(entry, document, lambda: self.lineage.document(document, limit=most))

    def recall(self, principal: Principal, request: RecallRequest, *, request_id: str | None = None) -> Recall:
        """Take back. Raises NotReadable for what is not there."""
        return self.recalls.make(request, by=principal.subject, request_id=request_id)

    def recalled(
        self, principal: Principal, recall: str, *, before: int | None, count: int, request_id: str | None = None
    ) -> tuple[Recall, Sequence[Showing]]:
        """The recall, and who was shown what it is about: of at most `count` records. Raises NotReadable."""

        def read() -> tuple[Recall, Sequence[Showing]]:
            return self.recalls.get(recall), self.recalls.showings(recall, before=before, limit=count)

        return self._recorded(_entry(principal, AuditAction.RECALL_READ, request_id, recall=recall), recall, read)

    def _limit(self, limit: int | None) -> int:
        most = self.settings.lineage_max_entries
        if limit is not None and limit > most:
            raise InvalidInput.of("limit", "is too large", limit=f"{most} entries")
        return min(self.settings.list_page_entries, most) if limit is None else limit

    def _recorded(self, entry: AuditEntry, asked: str, read: Callable[[], Found]) -> Found:
        """What `read` gives, once the entry is durable. Of an id that is asked for in vain only a keyed hash is kept."""
        try:
            found = read()
        except NotReadable:
            self.audit.record(replace(entry, is_allowed=False, outcome="not there", asked=asked, details={}))
            raise
        self.audit.record(entry)
        return found


def _entry(principal: Principal, action: AuditAction, request_id: str | None, **asked: str) -> AuditEntry:
    actor, act_for = actors(principal)
    return AuditEntry(action, actor, act_for, request_id=request_id, details=asked)
