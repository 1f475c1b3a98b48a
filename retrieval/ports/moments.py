"""What of the past can be read at all. It tells times and revisions, and nothing of any document."""

from datetime import datetime
from typing import Protocol

from retrieval.domain.queries import Moment


class MomentReader(Protocol):
    """Finds the state of the catalog that was once the present."""

    def at(self, time: datetime) -> Moment:
        """At a time with a zone. Raises InvalidInput naming `as_of`: it lies in the future, or before what is kept."""

    def of_revision(self, revision: int) -> Moment:
        """Raises InvalidInput as `at` does, or RevisionNotReached when the catalog that answers has not come that far."""
