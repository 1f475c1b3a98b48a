"""Who holds which API key."""

from datetime import datetime
from typing import Protocol

from retrieval.domain.audit import OPERATOR
from retrieval.domain.keys import StoredApiKey


class ApiKeyStore(Protocol):
    """Keys by id. Holds hashes only."""

    def add(self, key: StoredApiKey, *, by: str = OPERATOR.subject) -> None:
        """`by` is the subject who made it. Raises Conflict when the id is taken."""

    def find(self, key_id: str) -> StoredApiKey | None:
        """Expired and revoked keys too: whether one is accepted is the domain's rule. Raises CatalogUnavailable."""

    def list(self) -> list[StoredApiKey]:
        """Newest first."""

    def revoke(self, key_id: str, at: datetime, *, by: str = OPERATOR.subject) -> None:
        """A key that is revoked already keeps its first time. Raises InvalidInput naming `key` when there is none."""
