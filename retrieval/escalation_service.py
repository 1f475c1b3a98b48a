"""The asker's side of escalations: handing a question to a person, and being told what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from retrieval.domain.answers import AnswerSentence
from retrieval.domain.audit import AuditEntry
from retrieval.domain.clock import Clock, stamp
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.escalations import Delivery, Escalation, EscalationDraft, EscalationState, Priority
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import EscalationView
from retrieval.ports.answer_policies import AnswerPolicies
from retrieval.ports.audit import AuditLog
from retrieval.ports.reading import GateReader
from retrieval.ports.reviewing import EscalationReader, EscalationWriter, NewEscalation
from retrieval.settings import Settings
from retrieval.steps.restore import Passages, cited_passages, readable_by_all, restored
from retrieval.steps.review_record import told, told_of_several
from retrieval.steps.route import Route, route


@dataclass(frozen=True)
class EscalationService:
    """`Escalating`. What is told of a decision is what its asker may read at that moment.

    An answer that stands on something else is not mentioned: the question then counts as rejected. A hint such as "partly withheld"
    would tell the asker that a document exists which they may not read.
    """

    settings: Settings
    gate: GateReader
    reader: EscalationReader
    writer: EscalationWriter
    policies: AnswerPolicies
    audit: AuditLog
    clock: Clock

    def open(self, principal: Principal, draft: EscalationDraft, *, request_id: str | None = None) -> Escalation:
        bounded = replace(draft, evidence=draft.evidence[: self.settings.escalation_max_evidence])
        check_draft(bounded, self.settings)
        routed, now = self._route(principal, bounded), self.clock.now()
        new = NewEscalation(
            principal,
            bounded,
            routed.priority,
            due_at=stamp(now + timedelta(hours=routed.hours)),
            expires_at=stamp(now + timedelta(days=self.settings.escalation_expiry_days)),
            source=routed.source,
            reviewers=routed.reviewers,
            skill=routed.skill,
        )
        return self.writer.add(new, pending_limit=self.settings.escalation_max_pending, request_id=request_id)

    def mine(self, principal: Principal, *, after: str, count: int, request_id: str | None = None) -> Sequence[EscalationView]:
        """Without the answers themselves."""
        found = self.reader.of_asker(principal, after=after, count=count)
        passages = self._read(principal, found)
        self.audit.record(told_of_several(principal, [each.id for each in found], request_id=request_id))
        return [replace(self._view(each, passages), sentences=()) for each in found]

    def poll(self, principal: Principal, escalation: str, *, request_id: str | None = None) -> EscalationView:
        found = self.reader.get(escalation)
        if not found.belongs_to(principal):
            raise NotReadable("no such escalation")
        passages = self._read(principal, [found])
        view = self._view(found, passages)
        if found.resolution is not None:
            quoted = [passages[id_] for id_ in dict.fromkeys(citation.passage for citation in view.citations)]
            self._record(principal, found, view, told(principal, found.id, quoted, outcome=view.state.value, request_id=request_id))
        return view

    def withdraw(self, principal: Principal, escalation: str, *, request_id: str | None = None) -> None:
        self.writer.withdraw(principal, escalation, request_id=request_id)

    def _route(self, principal: Principal, draft: EscalationDraft) -> Route:
        hours = {
            Priority.LOW: self.settings.escalation_review_hours_low,
            Priority.STANDARD: self.settings.escalation_review_hours_standard,
            Priority.HIGH: self.settings.escalation_review_hours_high,
        }
        wanted = [place.passage for place in draft.evidence]
        places = self.reader.places(wanted)
        return route(
            draft,
            principal,
            self.policies.of([place.source for place in draft.evidence]),
            hours=hours,
            owner=self.reader.owner,
            sees_all=lambda reviewer: len(readable_by_all(self.gate, [reviewer], places.values())) == len(wanted),
        )

    def _read(self, principal: Principal, escalations: Sequence[Escalation]) -> Passages:
        """What the answers quote. Of a question that was rejected as much is read of what was found for it, so that both take as long."""
        wanted: set[str] = set()
        for each in escalations:
            if each.resolution is not None:
                wanted |= cited_passages(each.resolution.sentences) or {place.passage for place in each.draft.evidence}
        return readable_by_all(self.gate, [principal], self.reader.places(sorted(wanted)).values())

    def _view(self, escalation: Escalation, passages: Passages) -> EscalationView:
        sentences = self._deliverable(escalation, passages)
        is_unanswered = escalation.state is EscalationState.ANSWERED and not sentences
        return EscalationView(
            escalation.id,
            escalation.draft.question,
            EscalationState.REJECTED if is_unanswered else escalation.state,
            escalation.draft.reasons,
            opened_at=escalation.created_at,
            due_at=escalation.due_at,
            expires_at=escalation.expires_at,
            closed_at=escalation.closed_at,
            sentences=sentences,
        )

    def _deliverable(self, escalation: Escalation, passages: Passages) -> tuple[AnswerSentence, ...]:
        held = () if escalation.resolution is None else escalation.resolution.sentences
        found = [sentence for each in held if (sentence := restored(each, passages)) is not None]
        if len(found) < len(held) and self.settings.escalation_undeliverable == "withhold":
            return ()
        return tuple(found)

    def _record(self, principal: Principal, escalation: Escalation, view: EscalationView, entry: AuditEntry) -> None:
        """Before anything of it is told."""
        assert escalation.resolution is not None
        if escalation.state is EscalationState.REJECTED:
            self.audit.record(entry)
            return
        is_whole = len(view.sentences) == len(escalation.resolution.sentences)
        self.writer.delivered(escalation.id, Delivery.DELIVERED if is_whole else Delivery.WITHHELD, entry=entry)


def check_draft(draft: EscalationDraft, settings: Settings) -> None:
    """Raises InvalidInput naming what of the draft breaks a limit."""
    if not draft.question.strip():
        raise InvalidInput.of("query", "must not be empty")
    if len(draft.question) > settings.query_max_characters:
        raise InvalidInput.of("query", "is too long", limit=f"{settings.query_max_characters} characters")
    if not draft.reasons:
        raise InvalidInput.of("reasons", "must name why a person is asked")
    if len(draft.sentences) > settings.escalation_max_sentences:
        raise InvalidInput.of("sentences", "are too many", limit=f"{settings.escalation_max_sentences} sentences")
