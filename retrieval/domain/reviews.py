"""What reviewers are shown of escalations, and what they say. What they may not read is not in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retrieval.domain.answers import AnswerSentence, Citation, Confidence, Generated, Reason
from retrieval.domain.documents import Span
from retrieval.domain.escalations import Delivery, EscalationState, Priority, ResolutionKind
from retrieval.domain.passages import ReadablePassage


@dataclass(frozen=True)
class EscalationView:
    """What is told to whoever asked. Times are ISO 8601 in UTC.

    Attributes:
        state: `rejected` also for an answer that stands on what the asker may not read now: such an answer does not exist for them.
        sentences: the answer; none unless `state` is `answered`.
    """

    id: str
    question: str
    state: EscalationState
    reasons: tuple[Reason, ...]
    opened_at: str
    due_at: str
    expires_at: str
    closed_at: str | None
    sentences: tuple[AnswerSentence, ...] = ()

    @property
    def position(self) -> str:
        """Where it stands in the asker's list: what the next page follows."""
        return f"{self.opened_at}|{self.id}"

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple({each.id: each for sentence in self.sentences for each in sentence.citations}.values())


@dataclass(frozen=True)
class QueueFilter:
    """Which escalations a reviewer wants to see. What is None or False does not limit.

    Attributes:
        source: those that were routed to this source's reviewers.
        overdue: pending ones that should have been decided by now.
        mine: those that the reviewer claimed or decided.
    """

    state: EscalationState | None = None
    source: str | None = None
    reason: Reason | None = None
    overdue: bool = False
    mine: bool = False


@dataclass(frozen=True)
class QueueEntry:
    """An escalation as a list shows it. It tells nothing of documents.

    Attributes:
        version: what a change has to name as `expected`.
        asker: subject of who asked.
        source: whose reviewers it was routed to; empty: all of them.
        claimed_by: who works on it now, or decided it.
        is_overdue: whether it is pending although it should have been decided.
        delivery: what became of the answer on its way to the asker; None while there is none.
    """

    id: str
    version: int
    question: str
    state: EscalationState
    priority: Priority
    reasons: tuple[Reason, ...]
    asker: str
    source: str
    skill: str
    reviewers: tuple[str, ...]
    opened_at: str
    due_at: str
    expires_at: str
    is_overdue: bool
    claimed_by: str | None
    lease_until: str | None
    closed_at: str | None
    delivery: Delivery | None = None

    @property
    def position(self) -> str:
        """Where it stands in the queue: what the next page follows."""
        return f"{self.due_at}|{self.id}"


@dataclass(frozen=True)
class ReviewEvidence:
    """A passage that the asker and the reviewer both may read now.

    Attributes:
        rank: among those shown; 1 is best.
        scores: what each leg gave it, by name of the leg, and `fused`.
        cited: what the draft quotes of it, as spans of the passage's own text, in their order.
    """

    rank: int
    passage: ReadablePassage
    citation: Citation
    scores: Mapping[str, float]
    cited: tuple[Span, ...] = ()


@dataclass(frozen=True)
class ShownResolution:
    """A decision as reviewers see it. Sentences that stand on what they may not read are missing, and then `is_withheld` is True."""

    kind: ResolutionKind
    sentences: tuple[AnswerSentence, ...]
    by: str
    at: str
    reason: str
    knowledge_gap: str
    is_curated: bool
    is_withheld: bool


@dataclass(frozen=True)
class ReviewItem:
    """One escalation for one reviewer.

    Attributes:
        draft: the sentences of the draft all of whose citations are shown as evidence or readable to both.
        is_withheld: some evidence is not shown. No more is told of it: then sentences without citations, the confidence and its signals,
            which were told from all of it, are not shown either.
        may_decide: whether this reviewer holds the claim now.
    """

    entry: QueueEntry
    sources: tuple[str, ...]
    evidence: tuple[ReviewEvidence, ...]
    draft: tuple[AnswerSentence, ...]
    is_withheld: bool
    confidence: Confidence | None
    generated: Generated | None
    may_decide: bool
    resolution: ShownResolution | None = None


@dataclass(frozen=True)
class SubmittedCitation:
    """A quote that a reviewer puts under a sentence.

    Attributes:
        passage: the quote is in this passage of a current version.
        span: offsets into the version's text.
        quote: exactly what stands there.
    """

    passage: str
    span: Span
    quote: str

    @classmethod
    def of(cls, citation: Citation) -> "SubmittedCitation":
        return cls(citation.passage, citation.span, citation.quote)


@dataclass(frozen=True)
class SubmittedSentence:
    text: str
    citations: tuple[SubmittedCitation, ...] = ()


@dataclass(frozen=True)
class Approval:
    """The draft is the answer. Only whoever sees all of it may say so."""


@dataclass(frozen=True)
class Amendment:
    """Another answer. `own_knowledge`: the reviewer confirms that sentences without citations are what they know themselves."""

    sentences: tuple[SubmittedSentence, ...]
    own_knowledge: bool = False


@dataclass(frozen=True)
class Rejection:
    """There is no answer. `reason` is required; it is not shown to the asker."""

    reason: str


@dataclass(frozen=True)
class Decision:
    """What a reviewer decides.

    Attributes:
        reason: why, for other reviewers and the source's owner.
        knowledge_gap: what the documents should say and do not; empty: nothing is marked.
        is_curated: give the same answer to the next who asks and may read all that it cites.
    """

    judgement: Approval | Amendment | Rejection
    reason: str = ""
    knowledge_gap: str = ""
    is_curated: bool = False


@dataclass(frozen=True)
class ReviewEvent:
    """One line of an escalation's history. `what` in one word: opened, claimed, renewed, released, reassigned, decided, delivered."""

    at: str
    by: str
    what: str
    note: str = ""


@dataclass(frozen=True)
class DayVolume:
    """Escalations of one day in UTC, `2026-03-01`, by the state that they are in now."""

    day: str
    by_state: Mapping[EscalationState, int]


@dataclass(frozen=True)
class Durations:
    """Seconds; None without any."""

    count: int
    median: float | None
    p90: float | None

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Durations":
        """Nearest-rank percentiles."""
        ordered = sorted(seconds)
        return cls(len(ordered), _nearest(ordered, 0.5), _nearest(ordered, 0.9))


@dataclass(frozen=True)
class JudgedDraft:
    """How sure the service was of a draft, whether it was right by the reviewer's decision, and how weighty its question was."""

    confidence: float
    is_right: bool


@dataclass(frozen=True)
class ReviewStatistics:
    """Figures over the escalations that one reviewer may see, opened since `since`.

    Attributes:
        overdue_share: of pending and decided ones, those that were or are late; None without any.
        drafts: decided ones with a draft and a confidence, by confidence descending: for coverage versus risk, and for calibration.
    """

    since: str
    volume: tuple[DayVolume, ...]
    to_claim: Durations
    to_decide: Durations
    overdue_share: float | None
    outcomes: Mapping[ResolutionKind, int]
    by_reason: Mapping[Reason, int]
    by_source: Mapping[str, int]
    drafts: tuple[JudgedDraft, ...] = field(default=())


def _nearest(ordered: Sequence[float], share: float) -> float | None:
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]
