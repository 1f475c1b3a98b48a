"""Keeping what was cited to whom, and reading it again."""

from collections.abc import Sequence
from typing import Protocol

from retrieval.domain.answers import Citation
from retrieval.domain.citations import CheckedCitation
from retrieval.domain.permissions import Principal


class CitationReceipts(Protocol):
    """Where receipts are kept before the answer that cites leaves."""

    def keep(self, principal: Principal, citations: Sequence[Citation], *, request_id: str | None = None) -> None:
        """Returns when a receipt of each citation, given to the principal now, is durable. Without citations nothing happens.

        Raises:
            CatalogUnavailable: it is not: then the answer may not be shown.
        """


class CitationReader(Protocol):
    """Citations as those may see them who were given them."""

    def check(self, principal: Principal, citation: str) -> CheckedCitation:
        """What has become of a citation, by the catalog as it is now. One snapshot.

        Raises:
            NotReadable: it was never given to this principal, or so long ago that the receipt is gone, or there is no such citation.
        """
