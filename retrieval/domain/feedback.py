"""What people say of answers that they were given, and what is known of such an answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from retrieval.domain.answers import Answer, AnswerOutcome, Reason
from retrieval.domain.permissions import Principal


class FeedbackKind(StrEnum):
    """What somebody says of an answer.

    Attributes:
        OUTDATED: right once; its documents have to be brought up to date.
        CITATION_WRONG: a quote does not say what it is cited for.
    """

    HELPFUL = "helpful"
    WRONG = "wrong"
    OUTDATED = "outdated"
    CITATION_WRONG = "citation_wrong"


JUDGES = {FeedbackKind.HELPFUL: True, FeedbackKind.WRONG: False, FeedbackKind.CITATION_WRONG: False}
"""Which kinds say that an answer was right or wrong, for calibration. `outdated` says neither: the answer was true to its sources.

Helpful counts although people are easily pleased: if only complaints counted, every answer that anybody spoke of would be wrong.
"""

CONTRARY = {
    kind: tuple(other for other in FeedbackKind if (kind is FeedbackKind.HELPFUL) != (other is FeedbackKind.HELPFUL))
    for kind in FeedbackKind
}
"""What saying one takes back: nobody calls an answer helpful and wrong at once."""


def judgement(said: Iterable[FeedbackKind]) -> bool | None:
    """Whether the answer was right by what one person said of it; None when they did not say."""
    judged = [JUDGES[kind] for kind in said if kind in JUDGES]
    return all(judged) if judged else None


@dataclass(frozen=True)
class GivenCitation:
    """A citation of an answer that was given: ids alone."""

    id: str
    document: str
    source: str


@dataclass(frozen=True)
class AnswerGiven:
    """An answer as it was given, without its text.

    Attributes:
        asker: subject of whom it was given to.
        through: subject of the application that asked for them.
        question: in clear here; encrypted where it is kept. None once it has been forgotten.
        sources: those that the question was restricted to, else those of the passages that were looked at.
        signals: that its confidence was told from.
    """

    request_id: str
    asker: str
    through: str | None
    question: str | None = field(repr=False)
    outcome: AnswerOutcome
    reason: Reason | None
    citations: tuple[GivenCitation, ...]
    sources: tuple[str, ...]
    signals: Mapping[str, float]
    confidence_model: str | None
    generator: str
    prompt: str | None
    curated: str | None
    at: datetime

    @classmethod
    def of(
        cls, principal: Principal, question: str, answer: Answer, *, sources: tuple[str, ...] = (), request_id: str, at: datetime
    ) -> "AnswerGiven":
        """`sources`: what the question was restricted to."""
        looked_at = tuple(sorted({hit.passage.source for hit in answer.retrieved.hits}))
        confidence = answer.confidence
        return cls(
            request_id=request_id,
            asker=principal.subject,
            through=None if principal.through is None else principal.through.subject,
            question=question,
            outcome=answer.outcome,
            reason=answer.reason,
            citations=tuple(GivenCitation(each.id, each.document, each.source) for each in answer.citations),
            sources=sources or looked_at,
            signals={} if confidence is None else dict(confidence.signals),
            confidence_model=None if confidence is None else confidence.model,
            generator=answer.generated.by,
            prompt=answer.generated.prompt,
            curated=answer.curated,
            at=at,
        )


@dataclass(frozen=True)
class Feedback:
    """What one person says of one answer. Saying it again replaces what was said before of the same kind.

    Attributes:
        citation: id of one of the answer's citations; None: the answer as a whole.
        note: in clear here; encrypted where it is kept.
    """

    request_id: str
    asker: str
    kind: FeedbackKind
    citation: str | None
    note: str = field(repr=False)
    at: datetime
