"""Where questions are handed to people: both sides of escalations over a real catalog. Only the clock is a stand-in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.answer_policy import AnswerTerms
from retrieval.domain.answers import AnswerSentence, Citation, Confidence, Reason
from retrieval.domain.escalations import Escalation, EscalationDraft, EvidencePlace, HeldSentence
from retrieval.domain.ids import text_hash
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import EVERYONE, Principal
from retrieval.domain.reviews import Amendment, Decision, QueueEntry, SubmittedCitation, SubmittedSentence
from retrieval.domain.sources import SourceSpec
from retrieval.escalation_service import EscalationService
from retrieval.review_service import ReviewService
from retrieval.settings import Settings
from tests.story import ANN, Story, allow

EVE, RAY = Principal("eve"), Principal("ray")
"""Reviewers, by being in `group:desk`."""
QUESTION = "How long may I work from abroad?"
FILES = {
    "travel.md": ("Abroad for 30 days. Ask your manager.", allow(EVERYONE)),
    "board.md": ("The merger comes in May. Tell nobody.", allow("group:board")),
    "hr.md": ("Parents get 60 days. Ask the office.", allow("group:hr", "user:ann")),
}


@dataclass
class DeskClock:
    at: datetime = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def forward(self, **time: float) -> None:
        self.at += timedelta(**time)


@dataclass
class Desk:
    """`catalog` has to run on `clock`, too."""

    catalog: Catalog
    clock: DeskClock
    settings: Settings = field(default_factory=Settings)

    @cached_property
    def story(self) -> Story:
        return Story(self.catalog)

    def furnish(self) -> None:
        """Documents, and a group of reviewers for all of them."""
        self.story.sync(FILES)
        self.terms(reviewers=("group:desk",))
        for reviewer in (EVE, RAY):
            self.catalog.directory.set_groups(reviewer.subject, ["group:desk"])

    def terms(self, **terms: object) -> None:
        """What the owner of the documents says of answers."""
        spec = SourceSpec(id="handbook", kind="files", title="Handbook", owner="user:dana", answers=AnswerTerms(**terms))
        self.catalog.sources.register(spec, by="user:dana")

    @property
    def asking(self) -> EscalationService:
        catalog = self.catalog
        parts = (catalog.gate, catalog.escalations, catalog.escalation_writer, catalog.answer_policies, catalog.audit, self.clock)
        return EscalationService(self.settings, *parts)

    @property
    def reviewing(self) -> ReviewService:
        catalog = self.catalog
        return ReviewService(self.settings, catalog.gate, catalog.escalations, catalog.escalation_writer, catalog.audit, self.clock)

    def passages(self, principal: Principal) -> dict[str, ReadablePassage]:
        """By their text."""
        return {passage.text.strip(): passage for passage in self.story.gated(principal).readable}

    def draft(
        self, *texts: str, asker: Principal = ANN, question: str = QUESTION, reason: Reason = Reason.LOW_CONFIDENCE
    ) -> EscalationDraft:
        """All of these passages as evidence, each quoted in a sentence of its own."""
        found = self.passages(asker)
        passages = [found[text] for text in texts]
        return draft_of(passages, question=question, reason=reason)

    def opened(self, *texts: str, asker: Principal = ANN, question: str = QUESTION) -> Escalation:
        return self.asking.open(asker, self.draft(*texts, asker=asker, question=question))

    def claimed(self, *texts: str, asker: Principal = ANN, reviewer: Principal = EVE, question: str = QUESTION) -> QueueEntry:
        """Opened for every reviewer, and claimed by one."""
        escalation = self.opened(*texts, asker=asker, question=question)
        return self.reviewing.claim(reviewer, escalation.id, expected=escalation.version)

    def answering(self, *texts: str, reader: Principal = EVE) -> Decision:
        """An answer that quotes these passages whole."""
        return amended(self.passages(reader)[text] for text in texts)


def draft_of(passages: Iterable[ReadablePassage], *, question: str = QUESTION, reason: Reason = Reason.LOW_CONFIDENCE) -> EscalationDraft:
    listed = list(passages)
    return EscalationDraft(
        question,
        (reason,),
        confidence=Confidence(0.6, 0.8, "confidence@test", {"coverage": 0.5}),
        sentences=tuple(HeldSentence.of(AnswerSentence(each.text, Citation.of(each), 0.7)) for each in listed),
        evidence=tuple(
            EvidencePlace(
                rank, each.id, each.document, each.version, each.source, each.span, text_hash(each.text), {"lexical": 2.0, "fused": 0.5}
            )
            for rank, each in enumerate(listed, 1)
        ),
    )


def amended(passages: Iterable[ReadablePassage], *, own_knowledge: bool = False) -> Decision:
    citations = [SubmittedCitation.of(Citation.of(passage)) for passage in passages]
    return Decision(Amendment(tuple(SubmittedSentence(each.quote, (each,)) for each in citations), own_knowledge=own_knowledge))
