"""The reviewer's side of escalations: the queue, one item with what both sides may read, and the decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from retrieval.domain.answers import AnswerSentence, Citation
from retrieval.domain.calibration import JudgedAnswer, VerdictOrigin
from retrieval.domain.clock import Clock, stamp
from retrieval.domain.documents import Span
from retrieval.domain.errors import InvalidInput
from retrieval.domain.escalation_rules import askers, was_right
from retrieval.domain.escalations import Delivery, Escalation, EvidencePlace, Resolution, ResolutionKind
from retrieval.domain.ids import text_hash
from retrieval.domain.permissions import EVERYONE, Principal, PrincipalKind, check_subject
from retrieval.domain.reviews import (
    Amendment,
    Decision,
    QueueEntry,
    QueueFilter,
    ReviewEvent,
    ReviewEvidence,
    ReviewItem,
    ReviewStatistics,
    ShownResolution,
)
from retrieval.ports.audit import AuditLog
from retrieval.ports.reading import GateReader
from retrieval.ports.reviewing import Change, EscalationReader, EscalationWriter
from retrieval.settings import Settings
from retrieval.steps.resolve import Deciding, resolve
from retrieval.steps.restore import Passages, cited_passages, readable_by_all, restored
from retrieval.steps.review_record import reviewed
from retrieval.steps.review_statistics import review_statistics


@dataclass(frozen=True)
class ReviewService:
    """`Reviewing`. A reviewer is shown what the asker and the reviewer both may read at that moment."""

    settings: Settings
    gate: GateReader
    reader: EscalationReader
    writer: EscalationWriter
    audit: AuditLog
    clock: Clock

    def queue(
        self, principal: Principal, wanted: QueueFilter, *, after: str, count: int, request_id: str | None = None
    ) -> Sequence[QueueEntry]:
        found = self.reader.routed(principal, wanted, after=after, count=count)
        self.audit.record(reviewed(principal, [each.id for each in found], request_id=request_id))
        return [self._entry(each) for each in found]

    def item(self, principal: Principal, escalation: str, *, request_id: str | None = None) -> ReviewItem:
        found = self.reader.for_review(principal, escalation)
        shared = self._shared(principal, found)
        evidence = [place for place in found.draft.evidence if _is_there(place, shared)]
        draft = [restored(sentence, shared) for sentence in found.draft.sentences]
        is_withheld = len(evidence) < len(found.draft.evidence) or None in draft
        shown = [sentence for sentence in draft if sentence is not None and (sentence.citations or not is_withheld)]
        self.audit.record(reviewed(principal, [found.id], request_id=request_id, passages=shared.values()))
        return ReviewItem(
            self._entry(found),
            sources=tuple(sorted({place.source for place in evidence})),
            evidence=tuple(_evidence(rank, place, shared, shown) for rank, place in enumerate(evidence, 1)),
            draft=tuple(shown),
            is_withheld=is_withheld,
            confidence=None if is_withheld else found.draft.confidence,
            generated=found.draft.generated,
            may_decide=found.claimed_by == principal.subject and (found.lease_until or "") > self._now(),
            resolution=None if found.resolution is None else _shown_resolution(found.resolution, shared),
        )

    def claim(self, principal: Principal, escalation: str, *, expected: int, request_id: str | None = None) -> QueueEntry:
        return self._entry(self.writer.claim(Change(principal, escalation, expected, request_id), lease_until=self._lease()))

    def renew(self, principal: Principal, escalation: str, *, expected: int, request_id: str | None = None) -> QueueEntry:
        return self._entry(self.writer.renew(Change(principal, escalation, expected, request_id), lease_until=self._lease()))

    def release(self, principal: Principal, escalation: str, *, expected: int, request_id: str | None = None) -> QueueEntry:
        return self._entry(self.writer.release(Change(principal, escalation, expected, request_id)))

    def decide(
        self, principal: Principal, escalation: str, decision: Decision, *, expected: int, request_id: str | None = None
    ) -> QueueEntry:
        found = self.reader.for_review(principal, escalation)
        shared = self._shared(principal, found)
        draft = [restored(sentence, shared) for sentence in found.draft.sentences]
        deciding = Deciding(principal.subject, self._now(), draft, self._readable([principal], _cited_by(decision)))
        resolution = resolve(decision, found.draft, deciding, self.settings)
        change = Change(principal, escalation, expected, request_id)
        delivery, verdict = self._delivery(found, resolution), _verdict(found, resolution, self.clock)
        return self._entry(self.writer.decide(change, resolution, delivery=delivery, verdict=verdict))

    def reassign(
        self, principal: Principal, escalation: str, *, expected: int, to: Sequence[str] = (), note: str = "", request_id: str | None = None
    ) -> QueueEntry:
        if len(note) > self.settings.escalation_max_sentence_characters:
            raise InvalidInput.of("note", "is too long", limit=f"{self.settings.escalation_max_sentence_characters} characters")
        found = self.reader.for_review(principal, escalation)
        source, reviewers = (found.source, tuple(to)) if to else self._owner(principal, found)
        self._check_reviewers(found, reviewers)
        change = Change(principal, escalation, expected, request_id)
        return self._entry(self.writer.reassign(change, source=source, reviewers=reviewers, note=note))

    def history(self, principal: Principal, escalation: str, *, request_id: str | None = None) -> Sequence[ReviewEvent]:
        found = self.reader.for_review(principal, escalation)
        self.audit.record(reviewed(principal, [found.id], request_id=request_id))
        return self.reader.history(found.id)

    def statistics(self, principal: Principal, *, days: int = 30, request_id: str | None = None) -> ReviewStatistics:
        if not 1 <= days <= self.settings.review_statistics_max_days:
            raise InvalidInput.of("days", "is out of range", limit=f"1 to {self.settings.review_statistics_max_days} days")
        since = stamp(self.clock.now() - timedelta(days=days))
        found = self.reader.routed_since(principal, since, count=self.settings.review_statistics_max_escalations)
        self.audit.record(reviewed(principal, [], request_id=request_id))
        return review_statistics(found, since=since, now=self._now())

    def _shared(self, principal: Principal, escalation: Escalation) -> Passages:
        """Of everything that the escalation stands on, what its asker and the principal both may read now."""
        held = escalation.draft.sentences + (() if escalation.resolution is None else escalation.resolution.sentences)
        wanted = {place.passage for place in escalation.draft.evidence} | cited_passages(held)
        return self._readable([escalation.asker, principal], wanted)

    def _readable(self, principals: Sequence[Principal], wanted: set[str]) -> Passages:
        return readable_by_all(self.gate, principals, self.reader.places(sorted(wanted)).values())

    def _delivery(self, escalation: Escalation, resolution: Resolution) -> Delivery | None:
        if resolution.kind is ResolutionKind.REJECTED:
            return None
        passages = self._readable([escalation.asker], cited_passages(resolution.sentences))
        is_whole = all(restored(sentence, passages) is not None for sentence in resolution.sentences)
        return Delivery.WAITING if is_whole else Delivery.WITHHELD

    def _owner(self, principal: Principal, escalation: Escalation) -> tuple[str, tuple[str, ...]]:
        """Of the source that it was routed to, else of the best evidence that the principal sees: an owner tells which source it is."""
        shared = self._shared(principal, escalation) if not escalation.source else {}
        seen = [place.source for place in escalation.draft.evidence if _is_there(place, shared)]
        source = escalation.source or next(iter(seen), "")
        owner = self.reader.owner(source) if source else None
        if owner is None:
            raise InvalidInput.of("to", "names nobody, and there is no owner to ask")
        return source, (owner,)

    def _check_reviewers(self, escalation: Escalation, reviewers: Sequence[str]) -> None:
        if len(reviewers) > self.settings.escalation_max_reviewers:
            raise InvalidInput.of("to", "names too many", limit=f"{self.settings.escalation_max_reviewers} subjects")
        for subject in reviewers:
            check_subject(subject, field="to")
            if subject == EVERYONE or subject.startswith(f"{PrincipalKind.APP.value}:") or subject in askers(escalation.asker):
                raise InvalidInput.of("to", "names a subject that cannot review it")

    def _entry(self, escalation: Escalation) -> QueueEntry:
        return _entry(escalation, self._now())

    def _lease(self) -> str:
        return stamp(self.clock.now() + timedelta(minutes=self.settings.escalation_lease_minutes))

    def _now(self) -> str:
        return stamp(self.clock.now())


def _entry(escalation: Escalation, now: str) -> QueueEntry:
    return QueueEntry(
        escalation.id,
        escalation.version,
        escalation.draft.question,
        escalation.state,
        escalation.priority,
        escalation.draft.reasons,
        asker=escalation.asker.subject,
        source=escalation.source,
        skill=escalation.skill,
        reviewers=escalation.reviewers,
        opened_at=escalation.created_at,
        due_at=escalation.due_at,
        expires_at=escalation.expires_at,
        is_overdue=escalation.state.is_pending and escalation.due_at <= now,
        claimed_by=escalation.claimed_by,
        lease_until=escalation.lease_until,
        closed_at=escalation.closed_at,
        delivery=escalation.delivery,
    )


def _is_there(place: EvidencePlace, shared: Passages) -> bool:
    return place.passage in shared and text_hash(shared[place.passage].text) == place.text_hash


def _evidence(rank: int, place: EvidencePlace, shared: Passages, draft: Sequence[AnswerSentence]) -> ReviewEvidence:
    passage = shared[place.passage]
    quoted = {each.span for sentence in draft for each in sentence.citations if each.passage == passage.id}
    within = [Span(span.start - passage.span.start, span.end - passage.span.start) for span in quoted]
    ordered = tuple(sorted(within, key=lambda span: (span.start, span.end)))
    return ReviewEvidence(rank, passage, Citation.of(passage), place.scores, ordered)


def _shown_resolution(resolution: Resolution, shared: Passages) -> ShownResolution:
    sentences = [restored(sentence, shared) for sentence in resolution.sentences]
    return ShownResolution(
        resolution.kind,
        tuple(sentence for sentence in sentences if sentence is not None),
        resolution.by,
        resolution.at,
        resolution.reason,
        resolution.knowledge_gap,
        resolution.is_curated,
        is_withheld=None in sentences,
    )


def _cited_by(decision: Decision) -> set[str]:
    sentences = decision.judgement.sentences if isinstance(decision.judgement, Amendment) else ()
    return {citation.passage for sentence in sentences for citation in sentence.citations}


def _verdict(escalation: Escalation, resolution: Resolution, clock: Clock) -> JudgedAnswer | None:
    """What calibration learns: nothing without a draft whose confidence was told."""
    is_right, confidence = was_right(escalation.draft, resolution), escalation.draft.confidence
    if is_right is None or confidence is None:
        return None
    sources = sorted({cited.source for sentence in escalation.draft.sentences for cited in sentence.cites})
    return JudgedAnswer(
        escalation.id,
        resolution.by,
        VerdictOrigin.REVIEW,
        is_right,
        confidence.signals,
        tuple(sources),
        escalation.priority.value,
        clock.now(),
    )
