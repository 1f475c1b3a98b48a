"""Telling the owner of a source that somebody would need to read it. Whoever asked learns nothing of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import Principal

OwnersSearch = Callable[[Principal, str, str], Sequence[ReadablePassage]]
"""The passages of one source that answer a question for its owner, best first, gated for the owner: (owner, question, source)."""


@dataclass(frozen=True)
class AccessRequest:
    """Somebody asked what this document answers, and may not read it.

    Attributes:
        asker: subject of who asked.
    """

    id: str
    source: str
    asker: str
    document: str
    question: str
    created_at: str


@dataclass(frozen=True)
class AccessRequestPage:
    """Some of an owner's requests. `next`: what the next page follows; None on the last one."""

    requests: tuple[AccessRequest, ...]
    next: str | None


class AccessConsidering(Protocol):
    """What is told of questions without an answer."""

    def consider(self, asker: Principal, question: str, *, sources: Sequence[str] = ()) -> None:
        """`sources`: what it was restricted to. The same little work whatever there is that the asker may not read."""


class AccessRequesting(Protocol):
    """The owner's side. The principal first."""

    def owned(self, principal: Principal, *, after: str, count: int, request_id: str | None = None) -> AccessRequestPage:
        """Of the sources that the principal owns, for documents that it may read now, by id."""


class AccessRequests(Protocol):
    """Requests by id, for the owners of sources alone."""

    def add(self, source: str, asker: str, documents: Sequence[str], question: str) -> int:
        """One for each document that the asker has none for yet. Returns how many are new."""

    def owned(self, principal: Principal, *, after: str, count: int) -> Sequence[AccessRequest]:
        """At most `count` with ids greater than `after`, of the sources that the principal, or a group it is in, owns."""
