"""What auditors ask: lineage and recalls. Every read is recorded before anything of it is returned, every vain one too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from retrieval.domain.audit import AuditAction, AuditEntry, Detail, actors
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
        return self._read(principal, AuditAction.LINEAGE_READ, "answer", answer, request_id, lambda: self.lineage.answer(answer))

    def run(self, principal: Principal, run: str, *, limit: int | None = None, request_id: str | None = None) -> TracedRun:
        """Raises NotReadable, and InvalidInput naming `limit`."""
        most = self._limit(limit)
        return self._read(principal, AuditAction.LINEAGE_READ, "run", run, request_id, lambda: self.lineage.run(run, limit=most))

    def document(self, principal: Principal, document: str, *, limit: int | None = None, request_id: str | None = None) -> TracedDocument:
        """Raises NotReadable, and InvalidInput naming `limit`."""
        most = self._limit(limit)
        return self._read(
            principal, AuditAction.LINEAGE_READ, "document", document, request_id, lambda: self.lineage.document(document, limit=most)
        )

    def recall(self, principal: Principal, request: RecallRequest, *, request_id: str | None = None) -> Recall:
        """Take back. Raises NotReadable for what is not there."""
        return self.recalls.make(request, by=principal.subject, request_id=request_id)

    def recalled(
        self, principal: Principal, recall: str, *, before: int | None, count: int, request_id: str | None = None
    ) -> tuple[Recall, Sequence[Showing]]:
        """The recall, and who was shown what it is about: of at most `count` records. Raises NotReadable."""

        def read() -> tuple[Recall, Sequence[Showing]]:
            return self.recalls.get(recall), self.recalls.showings(recall, before=before, limit=count)

        return self._read(principal, AuditAction.RECALL_READ, "recall", recall, request_id, read)

    def _limit(self, limit: int | None) -> int:
        most = self.settings.lineage_max_entries
        if limit is not None and limit > most:
            raise InvalidInput.of("limit", "is too large", limit=f"{most} entries")
        return min(self.settings.list_page_entries, most) if limit is None else limit

    def _read(
        self, principal: Principal, action: AuditAction, kind: str, id_: str, request_id: str | None, read: Callable[[], Found]
    ) -> Found:
        actor, act_for = actors(principal)
        try:
            found = read()
        except NotReadable:
            refused = AuditEntry(action, actor, act_for, is_allowed=False, outcome="not there", asked=id_, request_id=request_id)
            self.audit.record(refused)
            raise
        details: dict[str, Detail] = {kind: id_}
        self.audit.record(AuditEntry(action, actor, act_for, request_id=request_id, details=details))
        return found
