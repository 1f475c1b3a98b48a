"""Telling askers that their question has been decided. A message names the escalation and how it ended, never what was answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from retrieval.domain.errors import ArchivistError


class Channel(StrEnum):
    """How somebody is told. `poll`: they came and asked."""

    POLL = "poll"
    WEBHOOK = "webhook"
    EMAIL = "email"


@dataclass(frozen=True)
class Message:
    """One message that is due. It may be sent more than once: `id` stays the same, so that a receiver knows it again.

    Attributes:
        asker: subject of who asked.
        application: subject of the application that was asked through, or asked itself; None for neither.
        attempts: made so far.
    """

    id: str
    escalation: str
    channel: Channel
    asker: str
    application: str | None
    attempts: int
    created_at: str


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
