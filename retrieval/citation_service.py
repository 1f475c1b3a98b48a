"""Citations that were given, read again later: the receipt, and what has become of what was cited."""

from dataclasses import dataclass

from retrieval.domain.citations import CheckedCitation
from retrieval.domain.errors import NotReadable
from retrieval.domain.permissions import Principal
from retrieval.ports.audit import AuditLog
from retrieval.ports.citations import CitationReader
from retrieval.steps import record


@dataclass(frozen=True)
class CitationService:
    """What is asked of receipts. Every read is recorded before anything of it is returned; one that cannot be recorded is refused."""

    citations: CitationReader
    audit: AuditLog

    def check(self, principal: Principal, citation: str, *, request_id: str | None = None) -> CheckedCitation:
        """The receipt, and what it is worth now to this principal.

        Raises:
            NotReadable: it was never given to this principal; whether to somebody else is not told.
        """
        try:
            found = self.citations.check(principal, citation)
        except NotReadable:
            self.audit.record(record.refused_citation(principal, citation, request_id=request_id))
            raise
        self.audit.record(record.citation(principal, found, request_id=request_id))
        return found
