"""What is learned from people: curated answers, feedback on answers given, and gaps for the owners of sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from retrieval.domain.answers import Answer
from retrieval.domain.calibration import JudgedAnswer
from retrieval.domain.curated import CuratedAnswer, CuratedDraft, CuratedMatch, CuratedState, ReadableCurated
from retrieval.domain.feedback import AnswerGiven, Feedback, FeedbackKind
from retrieval.domain.gaps import Gap
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.domain.queries import Query
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


class Refreshing(Protocol):
    """What has work to do in the background."""

    def refresh(self) -> None: ...


@dataclass(frozen=True)
class DocumentNow:
    """A cited document as it is. `version`: the current one; None when it has none."""

    access_class: int
    version: str | None


@dataclass(frozen=True)
class CuratedNews:
    """What is new of curated answers since a change and a revision, in one snapshot.

    Attributes:
        change: of the catalog's curated answers, up to which this tells.
        revision: of the catalog, up to which this tells.
        answers: those that changed, as they are.
        documents: by id, those that are cited and that changed, and all that the changed answers cite.
    """

    change: int
    revision: int
    answers: tuple[CuratedAnswer, ...] = ()
    documents: Mapping[str, DocumentNow] = field(default_factory=dict)


class CuratedFeed(Protocol):
    """For whoever keeps curated answers in memory. What it tells is nobody's to see before it has passed the gate."""

    def news(self, *, change: int, revision: int) -> CuratedNews: ...

    def vectors(self, model: str, texts: Sequence[str]) -> Mapping[str, Vectors]:
        """Text to its vector as a question, for those that have one under the model."""

    def store_vectors(self, model: str, vectors: Mapping[str, Vectors]) -> None: ...


class CuratedAnswers(Protocol):
    """What a reviewer has said, as the answering service asks for it."""

    def answer(self, principal: Principal, scope: AccessScope, query: Query, vector: Vectors, *, model: str) -> ReadableCurated | None:
        """To the same question, as it passed the gate just now; None when there is nothing. Raises CatalogUnavailable."""


class AnswersHeard(Protocol):
    """What remembers which answers were given, as the answering service tells it."""

    def keep(self, principal: Principal, question: str, answer: Answer, *, sources: Sequence[str] = (), request_id: str) -> None:
        """Returns when it is durable. `sources`: what the question was restricted to. Raises CatalogUnavailable."""


class CuratedReader(Protocol):
    """Curated answers through the gate: one snapshot, read right before anything of them leaves."""

    def open(self, principal: Principal, curated: str) -> ReadableCurated:
        """Raises NotReadable unless the principal may read the current versions of all that it cites."""

    def readable(
        self, principal: Principal, *, state: CuratedState | None, after: str, count: int, sources: Sequence[str] | None = None
    ) -> Sequence[ReadableCurated]:
        """At most `count` of those that `open` would give, in the order of their ids, those after the id `after`.

        With `sources` only those that cite one of them.
        """


@dataclass(frozen=True)
class CuratedChange:
    """Who changes which curated answer, and the number of it that they have seen; None: whatever it is."""

    by: str
    curated: str
    expected: int | None = None


class CuratedStore(Protocol):
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


class Anchoring(Protocol):
    """What keeps curated answers true to the documents that they cite."""

    def anchor(self, *, most: int) -> Sequence[CuratedAnswer]:
        """Follow documents that changed, for at most so many answers. Those that became stale: their sources' owners find a gap.

        A quote that stands in the current version exactly once is cited there from now on; an answer with any other quote is stale.
        """


class AnswersGiven(Protocol):
    """Answers that were given, without their texts; questions and notes are encrypted under the audit log's query key."""

    def keep(self, given: AnswerGiven, gaps: Sequence[Gap] = ()) -> None:
        """Returns when it is durable."""

    def of(self, asker: str, request_id: str) -> AnswerGiven:
        """Raises NotReadable for an unknown one and for another one's alike."""

    def give(self, feedback: Feedback, gaps: Sequence[Gap], *, verdict: JudgedAnswer | None) -> Sequence[Feedback]:
        """What the asker says of the answer by now. The same kind said before is replaced, with its gaps.

        `verdict` is kept with it, right or wrong as all that the asker says of the answer amounts to.
        """

    def withdraw(self, asker: str, request_id: str, kind: FeedbackKind, *, verdict: JudgedAnswer | None) -> Sequence[Feedback]:
        """What is left of it, with the verdict that this amounts to. Nothing happens where nothing was said."""

    def said(self, asker: str, request_id: str) -> Sequence[Feedback]: ...

    def judged(self, curated: str) -> tuple[int, int]:
        """How many different people said right, and how many wrong, of answers that repeated the curated one."""


class Forgetting(Protocol):
    """Deleting what is kept of people's questions."""

    def forget(self, asker: str, *, by: str) -> int:
        """Delete all that is kept of the person, gaps and receipts included, and untie curated answers from them. How many answers were."""

    def forget_before(self, *, answers_before: datetime, gaps_before: datetime) -> int:
        """Delete what is older. How many answers were."""


class GapReader(Protocol):
    """Gaps by source and month."""

    def of(self, sources: Sequence[str], *, month: str, most: int) -> Sequence[Gap]:
        """The newest `most` of the month."""

    def owned(self, principal: Principal) -> tuple[str, ...]:
        """Sources that the principal, or a group that it is in, owns."""


@dataclass(frozen=True)
class Lesson:
    """What one decided escalation teaches. `curated`: None for what is for whoever asked alone."""

    curated: CuratedDraft | None
    gaps: tuple[Gap, ...]


class Lessons(Protocol):
    """What has been learned from decided escalations, each once."""

    def progress(self) -> str:
        """What `Resolutions.decided` goes on after; empty at the start."""

    def learn(self, lessons: Sequence[Lesson], *, expires_at: datetime, progress: str) -> Sequence[CuratedAnswer]:
        """In one transaction. What has been learned before stays as it is. The curated answers that they made or had made."""
