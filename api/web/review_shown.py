"""A reviewer's item as its page shows it: evidence in sentences that can be cited, deadlines and leases in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.web.citing import address_of
from api.web.highlight import Piece, marked, matched_words
from api.web.words import duration
from retrieval.domain.answers import AnswerSentence
from retrieval.domain.documents import Span
from retrieval.domain.reviews import QueueEntry, ReviewEvidence, ReviewItem, SubmittedCitation
from retrieval.domain.sentences import sentences

_SOON = 0.25
"""Share of the time that is left when an escalation counts as due soon."""
_SHORT = 160
"""Characters of a quote in a list."""
_OPEN_RANKS = 3


@dataclass(frozen=True)
class Due:
    """How urgent: `late`, `soon`, `fine` or `closed`, and the same in words."""

    urgency: str
    said: str

    @classmethod
    def of(cls, entry: QueueEntry, now: datetime) -> "Due":
        if not entry.state.is_pending:
            return cls("closed", entry.state.value)
        opened, due = datetime.fromisoformat(entry.opened_at), datetime.fromisoformat(entry.due_at)
        if now >= due:
            return cls("late", f"overdue by {duration(now - due)}")
        return cls("soon" if due - now <= (due - opened) * _SOON else "fine", f"due in {duration(due - now)}")


@dataclass(frozen=True)
class Lease:
    """How long a claim lasts still."""

    until: datetime
    left: timedelta

    @classmethod
    def of(cls, entry: QueueEntry, now: datetime) -> "Lease | None":
        if entry.lease_until is None or not entry.state.is_pending:
            return None
        until = datetime.fromisoformat(entry.lease_until)
        return cls(until, max(until - now, timedelta()))


@dataclass(frozen=True)
class Quote:
    """A stretch of an evidence passage that a sentence of the answer may cite.

    Attributes:
        label: rank of the passage and number within it, `2.3`.
        key: what a form says for it.
        text: its beginning, for a list to choose from.
    """

    label: str
    key: str
    text: str
    citation: SubmittedCitation


@dataclass(frozen=True)
class ShownEvidence:
    """A passage, what is marked of it, and what may be cited of it. `is_open`: it is shown before anybody asks for it."""

    evidence: ReviewEvidence
    pieces: list[Piece]
    quotes: tuple[Quote, ...]
    address: str
    is_open: bool

    @classmethod
    def of(cls, evidence: ReviewEvidence, question: str, find: str) -> "ShownEvidence":
        """Marked is what is sought in it; else what the draft quotes of it; else the question's words."""
        text = evidence.passage.text
        found = matched_words(text, find)
        spans = found if find else evidence.cited or matched_words(text, question)
        is_open = bool(found) if find else bool(evidence.cited) or evidence.rank <= _OPEN_RANKS
        return cls(evidence, marked(text, spans), quotes_of(evidence), address_of(evidence.citation), is_open)


def quotes_of(evidence: ReviewEvidence) -> tuple[Quote, ...]:
    """Each sentence of the passage, and what the draft cites of it, in the order of the text."""
    passage = evidence.passage
    spans = sorted({*sentences(passage.text), *evidence.cited})
    return tuple(_quote(evidence, f"{evidence.rank}.{number}", span) for number, span in enumerate(spans, 1))


def key_of(citation: SubmittedCitation) -> str:
    return f"{citation.passage}:{citation.span.start}:{citation.span.end}"


def cited_keys(item: ReviewItem, sentence: AnswerSentence) -> frozenset[str]:
    """Of the quotes that stand in the evidence."""
    shown = {quote.key for evidence in item.evidence for quote in quotes_of(evidence)}
    return frozenset(key_of(SubmittedCitation.of(citation)) for citation in sentence.citations) & shown


def all_quotes(evidence: Sequence[ReviewEvidence]) -> dict[str, Quote]:
    return {quote.key: quote for each in evidence for quote in quotes_of(each)}


def _quote(evidence: ReviewEvidence, label: str, span: Span) -> Quote:
    passage, text = evidence.passage, span.of(evidence.passage.text)
    within = Span(passage.span.start + span.start, passage.span.start + span.end)
    citation = SubmittedCitation(passage.id, within, text)
    return Quote(label, key_of(citation), text if len(text) <= _SHORT else f"{text[:_SHORT].rstrip()} …", citation)
