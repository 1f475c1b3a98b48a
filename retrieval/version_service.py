"""What is done to versions besides publishing them, in the order that leaves nothing half done."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from retrieval.domain.diffs import TextDiff, differences
from retrieval.domain.erasure import ErasurePlan, ErasureReport, ErasureRequest
from retrieval.domain.errors import NotReadable
from retrieval.domain.permissions import Principal
from retrieval.domain.versions import DocumentHistory
from retrieval.ports.audit import AuditLog
from retrieval.ports.ingestion import Blobs
from retrieval.ports.versions import Erasure, VersionReader
from retrieval.ports.writing import FollowerRegistry
from retrieval.settings import Settings
from retrieval.steps import record

Read = TypeVar("Read")

_ID_BYTES = 8


@dataclass(frozen=True)
class VersionReading:
    """Earlier versions for readers. Every read is recorded before anything of it is returned; one that cannot be is refused."""

    settings: Settings
    versions: VersionReader
    audit: AuditLog

    def history(self, principal: Principal, document: str, *, request_id: str | None = None) -> DocumentHistory:
        """The versions of a document that the principal may read. Raises NotReadable for absent and hidden alike."""
        found = self._read(principal, document, request_id, lambda: self.versions.history(principal, document, most=self._most))
        self.audit.record(record.versions(principal, found, request_id=request_id))
        return found

    def diff(
        self, principal: Principal, document: str, before: int, after: int, *, request_id: str | None = None
    ) -> tuple[DocumentHistory, TextDiff]:
        """The two versions, and what changed from the first to the second.

        Raises:
            NotReadable: the document or a version is absent or hidden.
            InvalidInput: a version is too long to be compared.
        """
        most = self.settings.diff_max_characters
        read = self._read(
            principal, document, request_id, lambda: self.versions.texts(principal, document, before, after, most_characters=most)
        )
        limits = {"max_hunks": self.settings.diff_max_hunks, "max_hunk_characters": self.settings.diff_max_hunk_characters}
        diff = differences(read.before, read.after, **limits)
        self.audit.record(record.versions(principal, read.history, request_id=request_id))
        return read.history, diff

    @property
    def _most(self) -> int:
        return self.settings.history_max_versions

    def _read(self, principal: Principal, document: str, request_id: str | None, read: Callable[[], Read]) -> Read:
        try:
            return read()
        except NotReadable:
            self.audit.record(record.refused_versions(principal, document, request_id=request_id))
            raise


@dataclass(frozen=True)
class Erased:
    """A report, and where it lies."""

    report: ErasureReport
    file: Path


@dataclass(frozen=True)
class Erasing:
    """Erases in the catalog, then whatever still holds a copy.

    Attributes:
        forget: what is kept of a person's own questions; returns how many of each kind.
        sign: completes a report.
        keep: writes a report to its file.
    """

    erasure: Erasure
    blobs: Blobs
    followers: FollowerRegistry
    forget: Callable[[str, str], Mapping[str, int]]
    sign: Callable[[ErasureReport], ErasureReport]
    keep: Callable[[ErasureReport], Path]

    def plan(self, request: ErasureRequest) -> ErasurePlan:
        """What would go. Raises InvalidInput."""
        return self.erasure.plan(request)

    def erase(self, request: ErasureRequest, *, by: str) -> Erased:
        """Remove it. Run again after a crash, it does what is left; what was committed has its report in the catalog.

        Raises:
            InvalidInput: from what is asked for.
            CatalogUnavailable: erased, but its files hold remains yet: somebody reads just now. Do it again.
        """
        forgotten = self.forget(request.subject, by) if request.subject else {}
        report = self.erasure.erase(
            request,
            by=by,
            id_=f"erasure_{secrets.token_hex(_ID_BYTES)}",
            also=forgotten,
            sign=self.sign,
            remove_content=self.blobs.remove,
        )
        file = self.keep(report)
        self.followers.request_rebuild()
        self.erasure.overwrite()
        return Erased(report, file)
