"""Where in a list a page stands: after which entry, and how many entries long."""

from dataclasses import dataclass

from api.dependencies import Parts
from api.schemas import PageParameters
from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import Principal


@dataclass(frozen=True)
class Place:
    """One page of one principal's list. `after` is empty for the first page."""

    parts: Parts
    principal: Principal
    fingerprint: str
    after: str
    count: int

    @classmethod
    def asked(cls, parts: Parts, principal: Principal, fingerprint: str, wanted: PageParameters) -> "Place":
        """Raises InvalidInput naming `limit` or `cursor`."""
        settings = parts.settings
        count = settings.list_page_entries if wanted.limit is None else wanted.limit
        if count > settings.list_max_page_entries:
            raise InvalidInput.of("limit", "is too large", limit=f"{settings.list_max_page_entries} entries")
        after = "" if wanted.cursor is None else parts.cursors.open(principal, fingerprint, wanted.cursor)
        return cls(parts, principal, fingerprint, after, count)

    def next(self, last: str) -> str:
        """The cursor of the page that starts after `last`."""
        return self.parts.cursors.seal(self.principal, self.fingerprint, last)
