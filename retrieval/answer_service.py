"""From a question to its answer, top to bottom: retrieve, ask what people have said, answer, pass the gate again, escalate, record."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property

from retrieval.answering import Answering, AskedQuestion, Finished
from retrieval.domain.answers import Answer, AnswerOutcome, AnswerSentence, Retrieved
from retrieval.domain.clock import Clock, SystemClock
from retrieval.domain.curated import answer_of
from retrieval.domain.errors import IndexUnavailable, TooManyRequests
from retrieval.domain.escalations import EscalationDraft
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.domain.queries import Query
from retrieval.ports.access_requests import AccessConsidering
from retrieval.ports.answer_policies import AnswerPolicies, UsualPolicies
from retrieval.ports.calibration import CalibrationReader, Uncalibrated
from retrieval.ports.citations import CitationReceipts
from retrieval.ports.learning import AnswersHeard, CuratedAnswers
from retrieval.ports.models import EmbeddedQuery
from retrieval.ports.reading import Candidate
from retrieval.ports.reviewing import Escalating
from retrieval.service import KnowledgeService, check
from retrieval.settings import Settings
from retrieval.steps import record
from retrieval.steps.authorise import authorise
from retrieval.steps.confidence_model import shipped
from retrieval.steps.thresholds import Confidences
from retrieval.stopwatch import Stopwatch
from retrieval.wording import Wording

MOST_ATTEMPTS = 3
"""Each begins again because something that was read meanwhile may not be read any more."""


@dataclass(frozen=True)
class AnswerParts:
    """What answers need beside retrieval. With none of it they are made of quotes, nobody is asked, and nothing is kept but the audit."""

    policies: AnswerPolicies = field(default_factory=UsualPolicies)
    calibrations: CalibrationReader = field(default_factory=Uncalibrated)
    clock: Clock = field(default_factory=SystemClock)
    wording: Wording | None = None
    curated: CuratedAnswers | None = None
    receipts: CitationReceipts | None = None
    given: AnswersHeard | None = None
    escalating: Escalating | None = None
    access: AccessConsidering | None = None


@dataclass(frozen=True)
class AnswerService:
    """What applications ask of Archivist when they want an answer. Every method takes the principal first.

    An answer is recorded, and the receipts of its citations kept, before anything of it is returned; else it is refused.
    """

    settings: Settings
    knowledge: KnowledgeService
    parts: AnswerParts = field(default_factory=AnswerParts)

    def answer(
        self,
        principal: Principal,
        query: Query,
        *,
        with_passages: bool = True,
        person_wanted: bool | None = None,
        request_id: str | None = None,
    ) -> Answer:
        """An answer whose every sentence is tied to what supports it; or an abstention or escalation with its reason.

        Args:
            principal: who asks.
            query: what is asked.
            with_passages: else only the passages that are cited are returned beside it.
            person_wanted: whether a person shall look at it if it is not answered; None: as the settings say.
            request_id: by which the answer is known afterwards.

        Raises:
            BudgetExceeded: the application or team has spent what it may on generators, and the settings say to refuse then.
            InvalidInput, RevisionNotReached, Unavailable: like `KnowledgeService.retrieve`.
        """
        watch = Stopwatch()
        for _ in range(MOST_ATTEMPTS):
            asked = self._asked(principal, query, watch, person_wanted=person_wanted, request_id=request_id)
            finished = _drained(self._sentences(asked))
            if self._is_still_readable(asked, finished.answer.retrieved):
                return self._concluded(asked, finished, with_passages=with_passages)
        raise _changing()

    def stream(
        self,
        principal: Principal,
        query: Query,
        *,
        with_passages: bool = True,
        person_wanted: bool | None = None,
        request_id: str | None = None,
    ) -> Generator[AnswerSentence | Answer, None, None]:
        """The same, sentence by sentence as each is verified; the answer as a whole comes last and has the last word.

        What the sentences may be made of is recorded before the first of them leaves, what became of the question before the answer does.
        Arguments and errors are those of `answer`; where what may be read changes meanwhile, it ends with IndexUnavailable.
        """
        asked = self._asked(principal, query, Stopwatch(), person_wanted=person_wanted, request_id=request_id)
        is_recorded = False
        with closing(self._sentences(asked)) as sentences:
            for given in _with_end(sentences):
                shown = given.answer.retrieved if isinstance(given, Finished) else asked.retrieved
                if not self._is_still_readable(asked, shown):
                    raise _changing()
                if isinstance(given, Finished):
                    yield self._concluded(asked, given, with_passages=with_passages)
                    return
                if not is_recorded:
                    begun = Answer(AnswerOutcome.ANSWERED, (), None, asked.retrieved)
                    self._record(principal, query, begun, request_id, begun=True)
                    is_recorded = True
                yield given

    def curated(self, principal: Principal, query: Query, *, request_id: str | None = None) -> Answer | None:
        """What a reviewer has said to the same question, recorded first; None when there is nothing. Raises like `answer`."""
        check(query, self.settings)
        scope = authorise(principal, self.knowledge.scopes)
        found = self._said(principal, scope, query, self.knowledge.embedded(scope, query.text))
        if found is not None:
            self._record(principal, query, found, request_id)
            self._keep_receipts(principal, found, request_id)
        return found

    def passages_that_answer(self, principal: Principal, question: str, source: str) -> tuple[ReadablePassage, ...]:
        """The passages of one source that the question would be answered from by quotes, best first; none where it would not be.

        Nothing is recorded, because nothing is shown. Raises Unavailable.
        """
        query = Query(question, top_k=self.settings.answer_passages, depth=self.settings.query_depth, sources=(source,))
        asked = self._asked(principal, query, Stopwatch(), person_wanted=False, request_id=None)
        answer = _drained(replace(self.answering, wording=None).sentences(asked)).answer
        cited = {citation.passage for citation in answer.citations} if answer.outcome is AnswerOutcome.ANSWERED else set()
        return tuple(hit.passage for hit in answer.retrieved.hits if hit.passage.id in cited)

    @cached_property
    def answering(self) -> Answering:
        """Everything between retrieving and recording."""
        settings, parts = self.settings, self.parts
        accepted = {
            "low": settings.answer_accepted_error_low,
            "standard": settings.answer_accepted_error,
            "high": settings.answer_accepted_error_high,
        }
        confidences = Confidences(
            shipped(), parts.calibrations, accepted, settings.answer_error_confidence, settings.calibration_least_group_verdicts
        )
        return Answering(
            settings,
            parts.policies,
            confidences,
            parts.clock.now,
            wording=parts.wording,
            escalates=parts.escalating is not None,
        )

    def _asked(
        self, principal: Principal, query: Query, watch: Stopwatch, *, person_wanted: bool | None, request_id: str | None
    ) -> AskedQuestion:
        scope, embedded, retrieved = self.knowledge.looked_up(principal, query, watch)
        hits = [hit.passage.id for hit in retrieved.hits[: self.settings.answer_passages]]
        query_tokens, tokens = self.knowledge.ranking.by(embedded.embedder).token_vectors(scope, query.text, hits)
        return AskedQuestion(principal, scope, query, embedded, retrieved, watch, query_tokens, tokens, person_wanted, request_id)

    def _sentences(self, asked: AskedQuestion) -> Generator[AnswerSentence, None, Finished]:
        """An answer of its own, unless a person has said one to the same question: that one comes whole."""
        found = self._curated(asked)
        return Finished(found, found.sentences) if found is not None else (yield from self.answering.sentences(asked))

    def _curated(self, asked: AskedQuestion) -> Answer | None:
        with asked.watch.step("curated"):
            answer = self._said(asked.principal, asked.scope, asked.query, asked.embedded)
        if answer is None:
            return None
        said = answer.retrieved
        freshness = self.knowledge.freshness(said.hits)
        return replace(answer, retrieved=replace(said, degraded=asked.retrieved.degraded, seconds=asked.watch.seconds, freshness=freshness))

    def _said(self, principal: Principal, scope: AccessScope, query: Query, embedded: EmbeddedQuery) -> Answer | None:
        """People say what holds now: it is no answer to what held once."""
        if self.parts.curated is None or query.as_of is not None:
            return None
        found = self.parts.curated.answer(principal, scope, query, embedded.vector, model=embedded.model)
        if found is None:
            return None
        answer = answer_of(found)
        return replace(answer, retrieved=replace(answer.retrieved, model=embedded.model))

    def _is_still_readable(self, asked: AskedQuestion, retrieved: Retrieved) -> bool:
        """Whether all that an answer was made of, cited or not, passes the gate now."""
        candidates = [Candidate(hit.passage.id, hit.passage.text) for hit in retrieved.hits]
        with asked.watch.step("gate"):
            gated = self.knowledge.gate.gate(asked.principal, candidates, at_least=retrieved.revision, as_of=asked.scope.as_of)
        return len(gated.readable) == len(candidates)

    def _concluded(self, asked: AskedQuestion, finished: Finished, *, with_passages: bool) -> Answer:
        answer = self._escalated(asked, finished)
        shown = answer if with_passages else _only_cited(answer)
        with asked.watch.step("audit"):
            self._record(asked.principal, asked.query, shown, asked.request_id)
            self._keep_receipts(asked.principal, shown, asked.request_id)
            if self.parts.given is not None and asked.request_id is not None and asked.query.as_of is None:
                sources = asked.query.sources
                self.parts.given.keep(asked.principal, asked.query.text, answer, sources=sources, request_id=asked.request_id)
        if asked.query.as_of is not None:  # what was lacking once is no reason to ask for access now
            return shown
        if answer.outcome is AnswerOutcome.ABSTAINED and self.parts.access is not None:
            self.parts.access.consider(asked.principal, asked.query.text, sources=asked.query.sources)
        return shown

    def _escalated(self, asked: AskedQuestion, finished: Finished) -> Answer:
        """With the id of its escalation. Who has as many pending as one may have gets an abstention."""
        answer = finished.answer
        if answer.outcome is not AnswerOutcome.ESCALATED or self.parts.escalating is None:
            return answer
        draft = EscalationDraft.of(
            asked.query.text, replace(answer, sentences=finished.draft), reasons=finished.reasons, sources=asked.query.sources
        )
        with asked.watch.step("escalate"):
            try:
                opened = self.parts.escalating.open(asked.principal, draft, request_id=asked.request_id)
            except TooManyRequests:
                return replace(answer, outcome=AnswerOutcome.ABSTAINED)
        return replace(answer, escalation=opened.id)

    def _record(self, principal: Principal, query: Query, shown: Answer, request_id: str | None, *, begun: bool = False) -> None:
        searched = self.knowledge.searched(shown.retrieved)
        self.knowledge.audit.record(record.answering(principal, query, shown, searched=searched, request_id=request_id, begun=begun))

    def _keep_receipts(self, principal: Principal, shown: Answer, request_id: str | None) -> None:
        if self.parts.receipts is not None:
            self.parts.receipts.keep(principal, shown.citations, request_id=request_id)


def _drained(sentences: Generator[AnswerSentence, None, Finished]) -> Finished:
    [*_, finished] = _with_end(sentences)
    assert isinstance(finished, Finished)
    return finished


def _with_end(sentences: Generator[AnswerSentence, None, Finished]) -> Iterator[AnswerSentence | Finished]:
    """The sentences, then what they ended with."""
    yield (yield from sentences)


def _only_cited(answer: Answer) -> Answer:
    cited = {citation.passage for citation in answer.citations}
    hits = tuple(hit for hit in answer.retrieved.hits if hit.passage.id in cited)
    return replace(answer, retrieved=replace(answer.retrieved, hits=hits))


def _changing() -> IndexUnavailable:
    return IndexUnavailable("what may be read changes faster than it can be answered", retry_after_seconds=1)
