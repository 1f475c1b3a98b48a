"""Curated answers: what a reviewer has said to a question, kept for everybody who may read all that it cites, while that stands."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from retrieval.domain.answers import (
    Answer,
    AnswerOutcome,
    AnswerSentence,
    Citation,
    Confidence,
    Generated,
    Retrieved,
    RetrievedPassage,
)
from retrieval.domain.errors import InvalidInput
from retrieval.domain.escalations import CitedSpan, Escalation, EscalationState, HeldSentence
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.runs import FusedHit

CURATED = Generated("reviewer")
"""What words a curated answer: a person did."""
VERDICTS = "curated verdicts"
"""What tells how sure a curated answer is: what people said of it."""
REVIEWED_RIGHT, REVIEWED = 19, 20
"""What a reviewer's own word counts for: nineteen right ones of twenty."""


class CuratedState(StrEnum):
    """Where a curated answer stands. Only an active one answers anybody.

    Attributes:
        EXPIRED: its time has passed. Told by the clock, never kept.
        RETIRED: somebody took it back.
        STALE: a quote that it stands on is not in the current version any more.
        SUSPENDED: several people said that it is wrong; a reviewer looks at it again.
    """

    ACTIVE = "active"
    EXPIRED = "expired"
    RETIRED = "retired"
    STALE = "stale"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class CuratedDraft:
    """What a decided escalation has to say to everybody.

    Attributes:
        escalation: its id; one makes at most one curated answer.
        asked_by: subject of whoever asked, for golden questions and for erasure. Never shown.
        by: subject of the reviewer.
        paraphrases: other ways to ask the same, in the reviewer's words.
    """

    escalation: str
    question: str
    asked_by: str | None
    by: str
    sentences: tuple[HeldSentence, ...]
    paraphrases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.sentences or any(not sentence.cites for sentence in self.sentences):
            raise InvalidInput.of(
                "sentences", "each must cite what it stands on: an answer from somebody's own knowledge is for whoever asked alone"
            )

    @classmethod
    def of(cls, escalation: Escalation) -> "CuratedDraft | None":
        """Of a decided escalation; None when it was not answered, or not by what every reader can look up."""
        resolution = escalation.resolution
        if resolution is None or escalation.state is not EscalationState.ANSWERED:
            return None
        if not resolution.sentences or not all(sentence.cites for sentence in resolution.sentences):
            return None
        return cls(escalation.id, escalation.draft.question, escalation.asker.subject, resolution.by, resolution.sentences)

    @property
    def id(self) -> str:
        """Made of the escalation's, so that deriving it again finds it."""
        return "cur_" + hashlib.blake2b(self.escalation.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True)
class CuratedAnswer:
    """One as it is kept.

    Attributes:
        state: as it is kept; `state_at` heeds the clock.
        number: counts its changes, from 1.
        right, wrong: how many people said so of answers that repeated it.
    """

    id: str
    escalation: str
    question: str
    paraphrases: tuple[str, ...]
    sentences: tuple[HeldSentence, ...]
    by: str
    at: datetime
    expires_at: datetime
    state: CuratedState
    number: int = 1
    right: int = 0
    wrong: int = 0

    def state_at(self, now: datetime) -> CuratedState:
        if self.state is CuratedState.ACTIVE and now >= self.expires_at:
            return CuratedState.EXPIRED
        return self.state

    @property
    def cites(self) -> tuple[CitedSpan, ...]:
        """Each quote that it stands on, once."""
        return tuple(dict.fromkeys(cited for sentence in self.sentences for cited in sentence.cites))

    @property
    def probability(self) -> float:
        """How probable it is right: the share of people who say so, the reviewer's word counted as `REVIEWED_RIGHT` of `REVIEWED`."""
        return (REVIEWED_RIGHT + self.right) / (REVIEWED + self.right + self.wrong)


@dataclass(frozen=True)
class CuratedMatch:
    """A curated answer to nearly the question that was asked. It has still to pass the gate.

    Attributes:
        similarity: cosine of the question and the nearest way of asking it, at most 1.
    """

    curated: str
    similarity: float


@dataclass(frozen=True)
class ReadableCurated:
    """A curated answer that passed the gate for one principal.

    Attributes:
        sentences: with citations as they are now; empty when a quote is not intact.
        passages: that the citations stand in, for the audit record.
        revision: the catalog's at which it passed.
    """

    answer: CuratedAnswer
    sentences: tuple[AnswerSentence, ...]
    passages: tuple[ReadablePassage, ...]
    revision: int

    @property
    def is_intact(self) -> bool:
        return bool(self.sentences)


def answer_of(found: ReadableCurated) -> Answer:
    """What is told to whoever asked: the reviewer's sentences, and the passages that they cite as what was looked at."""
    hits = tuple(
        RetrievedPassage(rank, 1.0, passage, Citation.of(passage), FusedHit(passage.id, 1.0, None, None, None, None))
        for rank, passage in enumerate(found.passages, 1)
    )
    answer = found.answer
    signals = {"right": float(answer.right), "wrong": float(answer.wrong)}
    return Answer(
        AnswerOutcome.ANSWERED,
        found.sentences,
        reason=None,
        retrieved=Retrieved(hits, revision=found.revision),
        confidence=Confidence(answer.probability, 0.0, VERDICTS, signals),
        generated=CURATED,
        curated=answer.id,
    )
