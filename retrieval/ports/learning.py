"""What is learned from people: curated answers, feedback on answers given, and gaps for the owners of sources."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from retrieval.domain.curated import CuratedAnswer, CuratedDraft, CuratedMatch, CuratedState, ReadableCurated
from retrieval.domain.feedback import AnswerGiven, Feedback, FeedbackKind
from retrieval.domain.gaps import Gap
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.ports.models import Vectors


class CuratedSearch(Protocol):
    """Curated answers in memory. Nothing here is final: every match still has to pass the gate."""

    def nearest(
        self, scope: AccessScope, question: str, vector: Vectors, *, model: str, sources: Sequence[str] = (), most: int = 1
    ) -> tuple[CuratedMatch, ...]:
        """Active, intact ones to the same question, all of whose documents the scope reads; nearest first.

        Ones that the scope does not read are left out before anything is counted or cut.

        `vector` is the question's, shape (dimensions,), of `model`. With `sources` only answers that stand on nothing but these.

        Raises:
            CatalogUnavailable: it cannot be told whether they still hold.
        """


class CuratedReader(Protocol):
    """Curated answers through the gate: one snapshot, read right before anything of them leaves."""

    def open(self, principal: Principal, curated: str) -> ReadableCurated:
        """Raises NotReadable unless the principal may read the current versions of all that it cites."""

    def readable(self, principal: Principal, *, state: CuratedState | None, after: str, count: int) -> Sequence[ReadableCurated]:
        """At most `count` of those that `open` would give, in the order of their ids, those after the id `after`."""


@dataclass(frozen=True)
class CuratedChange:
    """Who changes which curated answer, and the number of it that they have seen; None: whatever it is."""

    by: str
    curated: str
    expected: int | None = None


class CuratedStore(CuratedReader, Protocol):
    """Curated answers, kept. Each change is one transaction with its audit record. Conflict tells of another number or state."""

    def add(self, draft: CuratedDraft, *, expires_at: datetime) -> CuratedAnswer:
        """The one of the draft's escalation, made when there is none yet, whatever has become of it since."""

    def get(self, curated: str) -> CuratedAnswer:
        """For the inside of the service. Raises NotReadable."""

    def retire(self, change: CuratedChange) -> CuratedAnswer: ...

    def renew(self, change: CuratedChange, *, expires_at: datetime) -> CuratedAnswer:
        """Active until then, also when it was suspended or expired. Raises Conflict when it is retired or stale."""

    def ask_as(self, change: CuratedChange, paraphrases: Sequence[str]) -> CuratedAnswer:
        """Replace the other ways to ask it."""

    def judge(self, curated: str, *, right: int, wrong: int, suspend: bool) -> CuratedAnswer:
        """How many people say so by now; `suspend`: nobody is given it until a reviewer has renewed it."""

    def anchor(self) -> Sequence[CuratedAnswer]:
        """Follow documents that changed. Those that became stale.

        A quote that stands in the current version exactly once is cited there from now on; an answer with any other quote is stale.
        """


class AnswersGiven(Protocol):
    """Answers that were given, without their texts; questions and notes are encrypted under the audit log's query key."""

    def keep(self, given: AnswerGiven, gaps: Sequence[Gap] = ()) -> None:
        """Returns when it is durable."""

    def of(self, asker: str, request_id: str) -> AnswerGiven:
        """Raises NotReadable for an unknown one and for another one's alike."""

    def give(self, feedback: Feedback, gaps: Sequence[Gap]) -> Sequence[Feedback]:
        """What the asker says of the answer by now. The same kind said before is replaced, with its gaps."""

    def withdraw(self, asker: str, request_id: str, kind: FeedbackKind) -> Sequence[Feedback]:
        """What is left of it. Nothing happens where nothing was said."""

    def said(self, asker: str, request_id: str) -> Sequence[Feedback]: ...

    def judged(self, curated: str) -> tuple[int, int]:
        """How many different people said right, and how many wrong, of answers that repeated the curated one."""

    def forget(self, asker: str, *, by: str) -> int:
        """Delete all that is kept of the person, gaps included, and untie curated answers from them. How many answers were."""

    def forget_before(self, *, answers: datetime, gaps: datetime) -> int:
        """Delete what is older. How many answers were."""


class GapStore(Protocol):
    """Gaps by source and month."""

    def add(self, gaps: Sequence[Gap]) -> None:
        """One that is there already, by source, kind and what it is about, is left as it is."""

    def of(self, sources: Sequence[str], *, month: str, most: int) -> Sequence[Gap]:
        """The newest `most` of the month."""

    def owned(self, principal: Principal) -> tuple[str, ...]:
        """Sources that the principal, or a group that it is in, owns."""
