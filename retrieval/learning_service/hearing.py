"""Feedback: which answers were given to whom, what they say of them, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.domain.answer_policy import strictest_tier
from retrieval.domain.answers import Answer, AnswerOutcome, Reason
from retrieval.domain.calibration import JudgedAnswer, VerdictOrigin
from retrieval.domain.clock import Clock
from retrieval.domain.curated import ReadableCurated
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.escalations import EscalationDraft, EvidencePlace
from retrieval.domain.feedback import AnswerGiven, Feedback, FeedbackKind
from retrieval.domain.gaps import GAPS, NO_SOURCE, Gap, GapKind
from retrieval.domain.ids import text_hash
from retrieval.domain.permissions import Principal
from retrieval.learning_service.promises import has_promise
from retrieval.ports.answer_policies import AnswerPolicies
from retrieval.ports.learning import AnswersGiven, CuratedReader, CuratedStore
from retrieval.ports.reviewing import Escalating
from retrieval.settings import Settings

_TELLS_OWNER = {FeedbackKind.OUTDATED: GapKind.OUTDATED, FeedbackKind.CITATION_WRONG: GapKind.CITATION_WRONG}


@dataclass(frozen=True)
class Hearing:
    """What people say of the answers that they were given. Every method takes the principal first."""

    settings: Settings
    clock: Clock
    given: AnswersGiven
    policies: AnswerPolicies
    curated: CuratedStore
    shown: CuratedReader
    escalating: Escalating

    def keep(self, principal: Principal, question: str, answer: Answer, *, sources: Sequence[str] = (), request_id: str) -> None:
        """Remember that this answer was given, and what it lacked. Returns when it is durable. `sources`: the question's restriction.

        Raises:
            CatalogUnavailable: it cannot be kept now.
        """
        given = AnswerGiven.of(principal, question, answer, sources=tuple(sources), request_id=request_id, at=self.clock.now())
        self.given.keep(given, self._unanswered(principal, given))

    def give(
        self, principal: Principal, request_id: str, kind: FeedbackKind, *, citation: str | None = None, note: str = ""
    ) -> Sequence[Feedback]:
        """What the principal says of the answer by now. The same again changes nothing; another note or citation replaces it.

        Raises:
            NotReadable: no answer of this id was given to the principal.
            InvalidInput: the note is too long, or the citation is none of the answer's.
        """
        if len(note) > self.settings.feedback_max_note_characters:
            raise InvalidInput.of("note", "is too long", limit=f"{self.settings.feedback_max_note_characters} characters")
        given = self.given.of(principal.subject, request_id)
        if citation is not None and citation not in {each.id for each in given.citations}:
            raise InvalidInput.of("citation", "is none of the answer's")
        feedback = Feedback(request_id, principal.subject, kind, citation, note, self.clock.now())
        said = self.given.give(feedback, self._told_owners(given, feedback), verdict=self._verdict(given))
        self._judge_curated(principal, given)
        return said

    def withdraw(self, principal: Principal, request_id: str, kind: FeedbackKind) -> Sequence[Feedback]:
        """As if it had not been said. Raises NotReadable like `give`."""
        given = self.given.of(principal.subject, request_id)
        said = self.given.withdraw(principal.subject, request_id, kind, verdict=self._verdict(given))
        self._judge_curated(principal, given)
        return said

    def _verdict(self, given: AnswerGiven) -> JudgedAnswer | None:
        """On the confidence that was told; of a curated answer and of an abstention there is none."""
        if given.outcome is not AnswerOutcome.ANSWERED or given.curated is not None or not given.signals:
            return None
        sources = tuple(sorted({citation.source for citation in given.citations}))
        return JudgedAnswer(
            about=given.request_id,
            by=given.asker,
            origin=VerdictOrigin.FEEDBACK,
            is_right=True,
            signals=given.signals,
            sources=sources,
            risk_tier=strictest_tier(self.policies.of(sources).values()).value,
            at=self.clock.now(),
        )

    def _judge_curated(self, principal: Principal, given: AnswerGiven) -> None:
        """Suspended first, then looked at again: whatever ends in between, nobody is given it any more."""
        curated = given.curated
        if curated is None:
            return
        right, wrong = self.given.judged(curated)
        suspend = wrong >= self.settings.curated_suspend_after
        self.curated.judge(curated, right=right, wrong=wrong, suspend=suspend)
        if not suspend:
            return
        try:
            found = self.shown.open(principal, curated)
        except NotReadable:
            return  # who said so may not read it any more; reviewers find it among the suspended ones
        self.escalating.open(principal, _doubted(found, given.question or found.answer.question))

    def _unanswered(self, principal: Principal, given: AnswerGiven) -> list[Gap]:
        if given.outcome is not AnswerOutcome.ABSTAINED or given.reason not in GAPS:
            return []
        topics_only = has_promise(principal, self.settings)
        return [
            Gap(source, GapKind.UNANSWERED, given.request_id, given.at, given.asker, given.question, topics_only)
            for source in given.sources or (NO_SOURCE,)
        ]

    def _told_owners(self, given: AnswerGiven, feedback: Feedback) -> list[Gap]:
        """The note goes to one owner only: the one whose document it is about."""
        kind = _TELLS_OWNER.get(feedback.kind)
        if kind is None:
            return []
        named = [each for each in given.citations if feedback.citation in (None, each.id)]
        documents = {each.source: each.document for each in reversed(named)}
        note = feedback.note if feedback.citation is not None else ""
        return [
            Gap(source, kind, given.request_id, feedback.at, given.asker, note=note, document=document)
            for source, document in sorted(documents.items())
        ]


def _doubted(found: ReadableCurated, question: str) -> EscalationDraft:
    evidence = tuple(
        EvidencePlace(rank, passage.id, passage.document, passage.version, passage.source, passage.span, text_hash(passage.text))
        for rank, passage in enumerate(found.passages, 1)
    )
    return EscalationDraft(question, (Reason.LOW_CONFIDENCE,), sentences=found.answer.sentences, evidence=evidence)
