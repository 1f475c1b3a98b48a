"""Handing questions to people and getting their answers: the asker's side, the reviewer's side, and what keeps both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from retrieval.domain.audit import AuditEntry
from retrieval.domain.calibration import JudgedAnswer
from retrieval.domain.escalations import Delivery, Escalation, EscalationDraft, Priority, Resolution
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import (
    Decision,
    EscalationView,
    QueueEntry,
    QueueFilter,
    ReviewEvent,
    ReviewItem,
    ReviewStatistics,
)


class Escalating(Protocol):
    """The asker's side. Every method takes the principal first; whose escalation it is not finds none."""

    def open(self, principal: Principal, draft: EscalationDraft, *, request_id: str | None = None) -> Escalation:
        """Hand a question to a person. While the same asker's same question is pending, its escalation is returned again.

        Raises:
            InvalidInput: the draft breaks a limit, or names no reason.
            TooManyRequests: the asker has as many pending ones as the settings allow.
        """

    def mine(self, principal: Principal, *, after: str, count: int, request_id: str | None = None) -> Sequence[EscalationView]:
        """At most `count` of the principal's own, newest first; `after`: `EscalationView.position` of the last one."""

    def poll(self, principal: Principal, escalation: str, *, request_id: str | None = None) -> EscalationView:
        """How it stands, with its answer when there is one and the principal may read all that it stands on. Raises NotReadable."""

    def withdraw(self, principal: Principal, escalation: str, *, request_id: str | None = None) -> None:
        """Take a pending question back. Raises NotReadable, or Conflict when it is decided."""


class Reviewing(Protocol):
    """The reviewer's side. Every method takes the principal first.

    One whose question it is, or to whom it was not routed, finds none (NotReadable). Changes name the version that the reviewer has seen
    as `expected`; Conflict tells the present state when it is another. The role is the caller's to check.
    """

    def queue(
        self, principal: Principal, wanted: QueueFilter, *, after: str, count: int, request_id: str | None = None
    ) -> Sequence[QueueEntry]:
        """At most `count`, most urgent first: by the time they are due, then by id. `after`: `QueueEntry.position` of the last one."""

    def item(self, principal: Principal, escalation: str, *, request_id: str | None = None) -> ReviewItem: ...

    def claim(self, principal: Principal, escalation: str, *, expected: int, request_id: str | None = None) -> QueueEntry:
        """Work on it alone until the lease ends. Raises Conflict when somebody else does."""

    def renew(self, principal: Principal, escalation: str, *, expected: int, request_id: str | None = None) -> QueueEntry:
        """A new lease from now on. Raises Conflict when it is not the principal's."""

    def release(self, principal: Principal, escalation: str, *, expected: int, request_id: str | None = None) -> QueueEntry:
        """Give it back. Raises Conflict when it is not the principal's."""

    def decide(
        self, principal: Principal, escalation: str, decision: Decision, *, expected: int, request_id: str | None = None
    ) -> QueueEntry:
        """The final word; the claim has to be the principal's.

        Raises:
            InvalidInput: a quote does not stand where it is said to for a reader such as the principal, a sentence has no citation and
                own knowledge is not confirmed, an approval of what is not all shown, or a limit is broken.
            Conflict: it has been decided, or the claim is not the principal's or has lapsed.
        """

    def reassign(
        self, principal: Principal, escalation: str, *, expected: int, to: Sequence[str] = (), note: str = "", request_id: str | None = None
    ) -> QueueEntry:
        """Give it to other subjects; to none: to the owner of the source that it was routed to. It is open again.

        Raises:
            InvalidInput: `to` names no subject that could review, or there is no owner to ask.
            Conflict: the claim is not the principal's.
        """

    def history(self, principal: Principal, escalation: str, *, request_id: str | None = None) -> Sequence[ReviewEvent]:
        """Oldest first."""

    def statistics(self, principal: Principal, *, days: int = 30, request_id: str | None = None) -> ReviewStatistics:
        """Of escalations that the principal may see. Raises InvalidInput for a number of days that is out of range."""


class Resolutions(Protocol):
    """Decided escalations for the inside of the service: what is learned from them passes the gate when it is shown."""

    def decided(self, *, after: str, count: int) -> Sequence[Escalation]:
        """At most `count` answered or rejected ones in the order of their decisions; `after`: `closed_at|id` of the last one seen."""


@dataclass(frozen=True)
class NewEscalation:
    """An escalation to be kept, routed. Times are ISO 8601 in UTC."""

    asker: Principal
    draft: EscalationDraft
    priority: Priority
    due_at: str
    expires_at: str
    source: str = ""
    reviewers: tuple[str, ...] = ()
    skill: str = ""


@dataclass(frozen=True)
class Change:
    """Who changes which version of which escalation."""

    principal: Principal
    escalation: str
    expected: int
    request_id: str | None = None


@dataclass(frozen=True)
class PassagePlace:
    """Where a passage of a current version stands, whoever may read it. For looking it up through the gate."""

    passage: str
    document: str
    version: str
    source: str
    start: int
    end: int


class EscalationReader(Resolutions, Protocol):
    """Escalations as they are kept. What of them may be shown is for the gate to say."""

    def get(self, escalation: str) -> Escalation:
        """Raises NotReadable."""

    def of_asker(self, principal: Principal, *, after: str, count: int) -> Sequence[Escalation]:
        """Those that belong to the principal, newest first."""

    def routed(self, principal: Principal, wanted: QueueFilter, *, after: str, count: int) -> Sequence[Escalation]:
        """Those that the principal may review, by the time they are due."""

    def routed_since(self, principal: Principal, moment: str, *, count: int) -> Sequence[Escalation]:
        """Of those that were opened since then, the newest."""

    def for_review(self, principal: Principal, escalation: str) -> Escalation:
        """Raises NotReadable when it is not routed to the principal, to a group that it is in or to all reviewers, or is its own."""

    def history(self, escalation: str) -> Sequence[ReviewEvent]: ...

    def places(self, passages: Sequence[str]) -> Mapping[str, PassagePlace]:
        """Of those that are passages of current versions."""

    def owner(self, source: str) -> str | None:
        """Subject of who answers for the source; None when there is none."""


class EscalationWriter(Protocol):
    """Changes of escalations. Each is one transaction with its audit record and its line of history.

    Reviewers' changes raise NotReadable like `EscalationReader.for_review`, and Conflict, which tells the present state, when the
    escalation is not of the version that the change names or not in a state for it.
    """

    def add(self, new: NewEscalation, *, pending_limit: int, request_id: str | None) -> Escalation:
        """The pending one of the same asker and question if there is one. Raises TooManyRequests beyond `pending_limit`."""

    def claim(self, change: Change, *, lease_until: str) -> Escalation: ...

    def renew(self, change: Change, *, lease_until: str) -> Escalation: ...

    def release(self, change: Change) -> Escalation: ...

    def decide(self, change: Change, resolution: Resolution, *, delivery: Delivery | None, verdict: JudgedAnswer | None) -> Escalation:
        """`verdict`: what the decision says of the draft, kept in the same transaction."""

    def reassign(self, change: Change, *, source: str, reviewers: tuple[str, ...], note: str) -> Escalation: ...

    def withdraw(self, principal: Principal, escalation: str, *, request_id: str | None) -> None:
        """Raises NotReadable for whom it does not belong to, Conflict when it is closed."""

    def delivered(self, escalation: str, delivery: Delivery, *, entry: AuditEntry) -> None:
        """Record what the asker is shown with `entry`, and with the first time of each outcome a line of history."""


class EscalationSweep(Protocol):
    """What time does to escalations. Each call does a bounded part and returns how many it was."""

    def lapse(self) -> int:
        """Claims whose lease has ended are open again."""

    def expire(self) -> int:
        """What nobody decided in time is closed."""

    def forget(self) -> int:
        """What has been closed for longer than it is kept is deleted."""
