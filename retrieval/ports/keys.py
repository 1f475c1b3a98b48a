"""Who holds which API key, and who belongs to which group."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from retrieval.domain.keys import StoredApiKey


class ApiKeyStore(Protocol):
    """Keys by id. Holds hashes only."""

    def add(self, key: StoredApiKey) -> None:
        """Raises Conflict when the id is taken."""

    def find(self, key_id: str) -> StoredApiKey | None:
        """Expired and revoked keys too: whether one is accepted is the domain's rule. Raises CatalogUnavailable."""

    def list(self) -> list[StoredApiKey]:
        """Newest first."""

    def revoke(self, key_id: str, at: datetime) -> None:
        """A key that is revoked already keeps its first time. Raises InvalidInput naming `key` when there is none."""


class Directory(Protocol):
    """Memberships of local principals. Subjects are compared byte by byte."""

    def set_groups(self, subject: str, groups: Iterable[str]) -> None:
        """Make the subject a member of exactly these groups, each written `group:<id>`, from the next request on."""

    def groups(self, subject: str) -> frozenset[str]:
        """The groups the subject is a member of; none for a subject nobody has named."""
