"""Telling askers that their question has been decided, and owners how their sources stand. A message holds no text of either."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from retrieval.domain.errors import ArchivistError


class Channel(StrEnum):
    """How somebody is told. `poll`: they came and asked."""

    POLL = "poll"
    WEBHOOK = "webhook"
    EMAIL = "email"


class Occasion(StrEnum):
    """What happened; the type of a webhook's event."""

    ESCALATION_CLOSED = "escalation.closed"
    CONTRACT_BROKEN = "contract.broken"
    CONTRACT_HOLDS = "contract.holds"
    RECALL_MADE = "recall.made"
    DOCUMENTS_RECALLED = "documents.recalled"


@dataclass(frozen=True)
class Message:
    """One message that is due. It may be sent more than once: `id` stays the same, so that a receiver knows it again.

    Attributes:
        about: id of the escalation, of the source or of the recall.
        recipient: subject of who is told: who asked, or who answers for the source.
        application: subject of the application that is told, or was asked through; None for neither.
        attempts: made so far.
        details: what else a webhook is told: names, never text of documents, questions or answers.
    """

    id: str
    about: str
    channel: Channel
    recipient: str
    application: str | None
    attempts: int
    created_at: str
    occasion: Occasion = Occasion.ESCALATION_CLOSED
    details: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Webhook:
    """Where an application wants to be told.

    Attributes:
        application: its subject.
        secret: `env:NAME`, `file:PATH`, or empty when it is kept encrypted in the catalog.
    """

    application: str
    url: str
    secret: str
    registered_at: str


class Undelivered(ArchivistError):
    """A message was not taken. `is_final`: no further attempt can help."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Sender(Protocol):
    """One way of sending."""

    def send(self, message: Message) -> None:
        """Returns when the receiver has taken it. Raises Undelivered."""


class Outbox(Protocol):
    """Messages that wait."""

    def due(self, *, count: int) -> Sequence[Message]: ...

    def sent(self, message: Message) -> None: ...

    def failed(self, message: Message, reason: str, *, next_attempt_at: str | None) -> None:
        """`next_attempt_at` None: it is given up, and stays as a dead letter."""


class Webhooks(Protocol):
    """Where applications want to be told."""

    def register(self, application: str, url: str, *, secret: str, by: str) -> None:
        """`secret`: in clear, to be encrypted, or `env:NAME` or `file:PATH`. Replaces the one before."""

    def remove(self, application: str, *, by: str) -> None:
        """Raises InvalidInput naming `application` when it has none."""

    def list(self) -> Sequence[Webhook]:
        """By application."""

    def find(self, application: str) -> tuple[str, str] | None:
        """Its URL, and its secret in clear or as a reference."""


class WorkLease(Protocol):
    """Which of several processes does a piece of work."""

    def take(self, name: str, *, holder: str, seconds: float) -> bool:
        """Whether it is the holder's for this long from now: it was nobody's, its time was over, or it was the holder's already."""
