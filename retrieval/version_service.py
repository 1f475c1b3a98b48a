"""What is done to versions besides publishing them, in the order that leaves nothing half done."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from retrieval.domain.erasure import ErasurePlan, ErasureReport, ErasureRequest
from retrieval.ports.ingestion import Blobs
from retrieval.ports.versions import Erasure
from retrieval.ports.writing import FollowerRegistry

_ID_BYTES = 8


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
