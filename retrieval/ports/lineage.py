"""What auditors ask of the catalog: lineage and recalls. It shows ids to those whose role it is, whatever they may read."""

from collections.abc import Sequence
from typing import Protocol

from retrieval.domain.lineage import Showing, TracedAnswer, TracedDocument, TracedRun
from retrieval.domain.recalls import Recall, RecallCounts, RecallRequest


class LineageReader(Protocol):
    """Each call is one snapshot. `limit` cuts each list; what is newest is kept."""

    def answer(self, request_id: str) -> TracedAnswer:
        """Raises NotReadable when no passage left under this request."""

    def run(self, run: str, *, limit: int) -> TracedRun:
        """Raises NotReadable for a run that is not known."""

    def document(self, document: str, *, limit: int) -> TracedDocument:
        """Raises NotReadable for a document that is not known."""


class Recalls(Protocol):
    """Taking back."""

    def source(self, request: RecallRequest) -> str:
        """Which source it is about. Raises NotReadable."""

    def plan(self, request: RecallRequest) -> RecallCounts:
        """What `make` would do now. Nothing is changed.

        Raises:
            NotReadable: there is no such document, version or source.
        """

    def make(self, request: RecallRequest, *, by: str, request_id: str | None = None) -> Recall:
        """Withdraw, hold back, retire, reopen and tell, in one transaction. Made again with nothing new to take back, it is the one before.

        Raises:
            NotReadable: there is no such document, version or source.
        """

    def get(self, recall: str) -> Recall:
        """Raises NotReadable."""

    def showings(self, recall: str, *, before: int | None, limit: int) -> Sequence[Showing]:
        """Who was shown what it is about, newest first: one for each record and document, of records with a smaller `seq` than `before`.

        All of a record's or none of them: at most `limit` records.
        """
