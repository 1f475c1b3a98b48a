"""Documents that applications push, and what the automation of sources asks of the catalog."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from retrieval.domain.automation import SourceOutlook
from retrieval.domain.pushing import PushedDocument, PushStatus


@dataclass(frozen=True)
class Change:
    """Who pushes, in which order.

    Attributes:
        actor, act_for: subjects, as in the audit log.
        sequence: of the application; None: as it arrives.
        request_id: for the audit log.
    """

    actor: str
    act_for: str | None = None
    sequence: int | None = None
    request_id: str | None = None


class PushedDocuments(Protocol):
    """What applications pushed. A change is durable when the call returns.

    Every call raises NotReadable when there is no source of this id that takes pushed documents.
    """

    def put(self, source: str, document: PushedDocument, change: Change, *, max_documents: int) -> PushStatus:
        """Keep a document, whose bytes are in the blob store. The same again changes nothing.

        Who may read what is published of it changes in the same transaction.

        Raises:
            Conflict: the source is retired, or a change with a higher sequence, or another one with the same, is known.
            InvalidInput: the source holds `max_documents` already.
        """

    def delete(self, source: str, key: str, change: Change) -> PushStatus:
        """Withdraw a document: nobody reads it from this transaction on. Deleting it again changes nothing.

        Raises:
            Conflict: as `put` does.
            NotReadable: it was never pushed, and the change has no sequence that would have to be remembered.
        """

    def status(self, source: str, key: str) -> PushStatus:
        """Raises NotReadable when it was never pushed."""

    def listed(self, source: str, *, after: str, count: int) -> Sequence[PushedDocument]:
        """At most `count` that are not deleted, with keys greater than `after`, in the order of their keys."""

    def find(self, source: str, key: str) -> PushedDocument | None:
        """None when it is deleted or was never pushed."""


class Automation(Protocol):
    """What is known of the runs of all sources."""

    def outlooks(self) -> Sequence[SourceOutlook]:
        """Of every source that is not retired, in the order of their ids; one read, however many they are."""

    def asked(self, sources: Sequence[SourceOutlook]) -> None:
        """A run of each has been asked for: the next one is not before a pause, which grows until one succeeds."""
