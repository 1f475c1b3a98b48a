"""Escalations: questions handed to people, and what the people decided.

What is kept of a passage is where it stands and the hash of its text. Its text is read again, through the gate, whenever it is shown:
to a reviewer what the asker and the reviewer both may read now, to the asker what the asker may read now.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from retrieval.domain.answers import (
    EXTRACTIVE,
    Answer,
    AnswerSentence,
    Citation,
    Confidence,
    Generated,
    Reason,
    RetrievedPassage,
    Verdict,
)
from retrieval.domain.documents import Span
from retrieval.domain.ids import text_hash
from retrieval.domain.permissions import Principal
from retrieval.domain.runs import FusedHit, Leg


class EscalationState(StrEnum):
    """Where an escalation stands. The first two are pending; the others are final.

    Attributes:
        OPEN: waits for a reviewer.
        CLAIMED: a reviewer works on it, until the lease ends.
        ANSWERED: a reviewer gave an answer.
        REJECTED: a reviewer decided that there is none.
        EXPIRED: nobody decided in time.
        WITHDRAWN: its asker took it back.
    """

    OPEN = "open"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"

    @property
    def is_pending(self) -> bool:
        return self in PENDING


PENDING = frozenset({EscalationState.OPEN, EscalationState.CLAIMED})


class Priority(StrEnum):
    """How soon a person should decide, least first. From the risk tier of the sources that the answer would stand on."""

    LOW = "low"
    STANDARD = "standard"
    HIGH = "high"


class Delivery(StrEnum):
    """What became of an answer on its way to the asker.

    Attributes:
        WAITING: the asker may read all that it stands on, and has not fetched it.
        DELIVERED: the asker has been shown all of it.
        WITHHELD: it stands, in part at least, on what the asker may not read. The asker is not told.
    """

    WAITING = "waiting"
    DELIVERED = "delivered"
    WITHHELD = "withheld"


class ResolutionKind(StrEnum):
    """What a reviewer decided.

    Attributes:
        APPROVED: the draft is the answer, word for word.
        AMENDED: the answer is another one, with citations.
        OWN_KNOWLEDGE: part of the answer is what the reviewer knows and no document says; the reviewer confirmed that.
        REJECTED: there is no answer.
    """

    APPROVED = "approved"
    AMENDED = "amended"
    OWN_KNOWLEDGE = "own_knowledge"
    REJECTED = "rejected"


@dataclass(frozen=True)
class CitedSpan:
    """A citation without what it quotes.

    Attributes:
        span: offsets into the version's text.
        quote_hash: `text_hash` of exactly what stands there.
    """

    passage: str
    document: str
    version: str
    source: str
    span: Span
    quote_hash: str

    @classmethod
    def of(cls, citation: Citation) -> Self:
        return cls(citation.passage, citation.document, citation.version, citation.source, citation.span, text_hash(citation.quote))


@dataclass(frozen=True)
class HeldSentence:
    """A sentence of a draft or a resolution as it is kept. It is shown only with everything that it cites.

    Attributes:
        cites: none for what no document says.
        support: 0 to 1. Not a probability.
    """

    text: str
    cites: tuple[CitedSpan, ...] = ()
    verdict: Verdict = Verdict.QUOTED
    support: float = 0.0

    @classmethod
    def of(cls, sentence: AnswerSentence) -> Self:
        return cls(sentence.text, tuple(CitedSpan.of(each) for each in sentence.citations), sentence.verdict, sentence.support)


@dataclass(frozen=True)
class EvidencePlace:
    """A passage that the service found for the question, without its text.

    Attributes:
        rank: at which it was found; 1 is best.
        span: the passage's place in the version's text.
        scores: the score that each leg gave it, and `fused`; a leg that did not find it is missing.
    """

    rank: int
    passage: str
    document: str
    version: str
    source: str
    span: Span
    text_hash: str
    scores: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, hit: RetrievedPassage) -> Self:
        passage = hit.passage
        return cls(
            hit.rank,
            passage.id,
            passage.document,
            passage.version,
            passage.source,
            passage.span,
            text_hash(passage.text),
            _scores(hit.fused) | {"fused": hit.score},
        )


@dataclass(frozen=True)
class EscalationDraft:
    """What is handed to a person.

    Attributes:
        sources: the sources that the asker restricted the question to; empty: none.
        reasons: why a person is asked; at least one.
        sentences: the answer that the service would have given, which may be none.
        evidence: what was found, best first.
    """

    question: str
    reasons: tuple[Reason, ...]
    sources: tuple[str, ...] = ()
    confidence: Confidence | None = None
    sentences: tuple[HeldSentence, ...] = ()
    evidence: tuple[EvidencePlace, ...] = ()
    generated: Generated = EXTRACTIVE

    @classmethod
    def of(cls, question: str, answer: Answer, *, reasons: tuple[Reason, ...] = (), sources: tuple[str, ...] = ()) -> Self:
        """From what the service would have answered. Without `reasons` the answer's own reason is the one."""
        return cls(
            question,
            reasons or ((answer.reason,) if answer.reason is not None else ()),
            tuple(sorted(set(sources))),
            answer.confidence,
            tuple(HeldSentence.of(sentence) for sentence in answer.sentences),
            tuple(EvidencePlace.of(hit) for hit in answer.retrieved.hits),
            answer.generated,
        )


@dataclass(frozen=True)
class Resolution:
    """What a reviewer decided, once and for all.

    Attributes:
        sentences: the answer; none when it was rejected.
        reason: why it was decided so: for reviewers and the source's owner, never for the asker.
        knowledge_gap: what is missing in the documents; empty: nothing was marked.
        is_curated: whether the reviewer wants the same answer given to the next who asks.
        by: the reviewer's subject.
    """

    kind: ResolutionKind
    sentences: tuple[HeldSentence, ...]
    by: str
    at: str
    reason: str = ""
    knowledge_gap: str = ""
    is_curated: bool = False


@dataclass(frozen=True)
class Escalation:
    """One question handed to people, whole. For the inside of the service: what leaves is a view of it that has passed the gate.

    Attributes:
        asker: who asked, through which application. What they may read is looked up anew each time; only the groups and sources that
            the credential itself vouched for are as they were.
        source: whose owner or reviewers it was routed to; empty: to all reviewers.
        reviewers: subjects that may work on it; none: every reviewer.
        skill: what a reviewer must know, in the owner's word.
        due_at: until when a person should have decided.
        version: grows with each change; who changes it names the one that they have seen.
        claimed_by: who works on it, or decided it.
        claimed_at: when somebody claimed it for the first time.
        lease_until: until when it is the claimer's.
        delivery: None while there is no answer.
    """

    id: str
    asker: Principal
    draft: EscalationDraft
    priority: Priority
    state: EscalationState
    version: int
    created_at: str
    due_at: str
    expires_at: str
    source: str = ""
    reviewers: tuple[str, ...] = ()
    skill: str = ""
    claimed_by: str | None = None
    claimed_at: str | None = None
    lease_until: str | None = None
    closed_at: str | None = None
    resolution: Resolution | None = None
    delivery: Delivery | None = None

    @property
    def sources(self) -> frozenset[str]:
        """Whose documents were found."""
        return frozenset(place.source for place in self.draft.evidence)

    def belongs_to(self, principal: Principal) -> bool:
        """Whether the principal may see what became of it: the asker, alone or through the application that it was asked through."""
        if principal.subject != self.asker.subject:
            return False
        through = None if principal.through is None else principal.through.subject
        return through is None or (self.asker.through is not None and self.asker.through.subject == through)


def normalised(question: str) -> str:
    """Equal for questions that differ in case, spacing, form of characters (Unicode NFKC) or closing marks only."""
    return " ".join(unicodedata.normalize("NFKC", question).casefold().split()).rstrip(" ?!.")


def _scores(fused: FusedHit) -> dict[str, float]:
    found = {
        Leg.LEXICAL: fused.lexical_score,
        Leg.DENSE: fused.dense_score,
        Leg.FEEDBACK: fused.feedback_score,
        Leg.GRAPH: fused.graph_score,
    }
    return {leg.value: score for leg, score in found.items() if score is not None}
