"""From what was retrieved to what its asker is told: evidence, conflicts, confidence, wording, and what becomes of the question.

All of it stands on passages that passed the gate for this asker.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime

from retrieval.domain.answer_policy import AnswerPolicy, EscalationMode, OnUnsupported
from retrieval.domain.answers import EXTRACTIVE, Answer, AnswerOutcome, AnswerSentence, Confidence, Conflict, Generated, Reason, Retrieved
from retrieval.domain.errors import BudgetExceeded
from retrieval.domain.evidence import Evidence
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.domain.queries import Query
from retrieval.ports.answer_policies import AnswerPolicies
from retrieval.ports.models import EmbeddedQuery, TokenVectors
from retrieval.settings import Settings
from retrieval.steps import outcome
from retrieval.steps.answer import quotes
from retrieval.steps.confidence import signals
from retrieval.steps.conflict import conflicts
from retrieval.steps.evidence import evidence
from retrieval.steps.evidence_by_embedding import ByEmbedding
from retrieval.steps.outcome import Decided, Findings
from retrieval.steps.scope import in_scope
from retrieval.steps.staleness import stale_sentences
from retrieval.steps.thresholds import Confidences
from retrieval.stopwatch import Stopwatch
from retrieval.wording import Worded, Wording

GENERATOR = "generator"
BUDGET = "budget"
"""In `degraded`: quotes stand in for words, because a generator failed, or because what may be spent on them is spent."""


@dataclass(frozen=True)
class AskedQuestion:
    """One question under way, and what was retrieved for it.

    Attributes:
        retrieved: its hits have passed the gate.
        query_tokens, tokens: of the question and, by passage id, of the hits; none where the model tells of none.
        person_wanted: whether the asker wishes that a person looks at what is not answered; None: not told.
    """

    principal: Principal
    scope: AccessScope
    query: Query
    embedded: EmbeddedQuery
    retrieved: Retrieved
    watch: Stopwatch
    query_tokens: TokenVectors | None = None
    tokens: Mapping[str, TokenVectors] = field(default_factory=dict)
    person_wanted: bool | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class Finished:
    """What became of a question.

    Attributes:
        answer: what its asker is told.
        draft: the answer that would have been given; for a reviewer.
        reasons: all that speak against giving it, the weightiest first.
    """

    answer: Answer
    draft: tuple[AnswerSentence, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class _Found:
    """What is known before anything is worded."""

    evidence: tuple[Evidence, ...]
    policies: Mapping[str, AnswerPolicy]
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True)
class _Judged:
    """A draft, how sure it is, and what becomes of it."""

    draft: tuple[AnswerSentence, ...]
    confidence: Confidence | None
    decided: Decided


@dataclass(frozen=True)
class Answering:
    """Everything between retrieving and recording. Without `wording` answers are made of quotes.

    Attributes:
        escalates: whether there is anybody to hand a question to.
    """

    settings: Settings
    policies: AnswerPolicies
    confidence: Confidences
    now: Callable[[], datetime]
    wording: Wording | None = None
    escalates: bool = False

    def sentences(self, asked: AskedQuestion) -> Generator[AnswerSentence, None, Finished]:
        """The answer's sentences, each as soon as it may be given; at the end what became of the question, which has the last word.

        Whether to answer is decided from the evidence before anything is worded. What the wording itself brings up may still turn an
        answer into an escalation: then sentences that were given, each of them supported by what it cites, are no answer.

        Raises:
            BudgetExceeded: the application or team has spent what it may, and the settings say to refuse then.
        """
        with asked.watch.step("evidence"):
            found = self._found(asked)
        with asked.watch.step("confidence"):
            quoted = self._judged(asked, found, self._quotes(found))
        if quoted.decided.outcome is AnswerOutcome.ANSWERED and self.wording is not None:
            return (yield from self._in_words(asked, found, quoted, self.wording))
        return (yield from _in_quotes(asked, found, quoted))

    def _found(self, asked: AskedQuestion) -> _Found:
        hits = asked.retrieved.hits[: self.settings.answer_passages]
        otherwise = ByEmbedding(asked.embedded.vector, asked.embedded.embedder, most=self.settings.answer_embedded_sentences)
        seen = evidence(asked.query.text, hits, asked.query_tokens, asked.tokens, otherwise=otherwise)
        policies = self.policies.of(sorted({one.passage.source for one in seen}))
        contradictions = outcome.weighed(conflicts(asked.query.text, seen, most=self.settings.answer_max_conflicts), policies)
        return _Found(seen, policies, contradictions)

    def _quotes(self, found: _Found) -> tuple[AnswerSentence, ...]:
        """Without what something of more authority contradicts."""
        outweighed = outcome.outweighed(found.conflicts)
        usable = [one for one in found.evidence if not any(outcome.overlap(one.citation, other) for other in outweighed)]
        return quotes(usable, max_sentences=self.settings.answer_max_sentences, min_support=self.settings.answer_min_support)

    def _judged(
        self, asked: AskedQuestion, found: _Found, draft: tuple[AnswerSentence, ...], *, claims_support: Sequence[float] = ()
    ) -> _Judged:
        policies = _policies_of(found, draft)
        confidence = None
        if found.evidence:
            told = signals(
                asked.query.text,
                asked.retrieved,
                found.evidence,
                asked.query_tokens,
                asked.tokens,
                conflicts=len(found.conflicts),
                claims_support=claims_support,
            )
            confidence = self.confidence.judge(told, policies)
        findings = Findings(
            found=bool(found.evidence),
            in_scope=in_scope(
                asked.query.text,
                asked.retrieved.hits,
                min_similarity=self.settings.answer_scope_min_similarity,
                min_coverage=self.settings.answer_scope_min_coverage,
            ),
            sentences=draft,
            confidence=confidence,
            conflicts=found.conflicts,
            stale=stale_sentences(
                draft, found.evidence, found.policies, now=self.now() if asked.query.as_of is None else asked.query.as_of.at
            ),
            policies=policies,
        )
        decided = outcome.decide(
            findings,
            unsupported=OnUnsupported(self.settings.answer_unsupported),
            escalation=EscalationMode(self.settings.answer_escalation) if self._may_escalate(asked) else EscalationMode.NEVER,
            person_wanted=asked.person_wanted,
        )
        return _Judged(draft, confidence, decided)

    def _may_escalate(self, asked: AskedQuestion) -> bool:
        """Nobody is asked what was true once: who reviews sees what is current."""
        return self.escalates and asked.query.as_of is None

    def _in_words(
        self, asked: AskedQuestion, found: _Found, quoted: _Judged, wording: Wording
    ) -> Generator[AnswerSentence, None, Finished]:
        """The answer as a generator words it; made of quotes where none does."""
        passages = [hit.passage for hit in asked.retrieved.hits[: self.settings.answer_passages]]
        on_unsupported = outcome.strictest(found.policies.values(), OnUnsupported(self.settings.answer_unsupported))
        draft: list[AnswerSentence] = []
        try:
            words = wording.worded(asked.principal, asked.query.text, passages, request_id=asked.request_id)
            worded = yield from _given_at_once(words, draft, on_unsupported)
        except BudgetExceeded:
            if self.settings.budget_exhausted == "refuse":
                raise
            return (yield from _in_quotes(asked, found, quoted, degraded=(BUDGET,)))
        degraded = (GENERATOR,) if worded.failed else ()
        if worded.generated is None:
            return (yield from _in_quotes(asked, found, quoted, degraded=degraded))
        judged = self._judged(asked, found, tuple(draft), claims_support=[sentence.support for sentence in draft])
        if on_unsupported is OnUnsupported.ESCALATE:
            yield from judged.decided.sentences
        return _finished(asked, found, judged, worded.generated, degraded)


def _given_at_once(
    words: Generator[AnswerSentence, None, Worded], draft: list[AnswerSentence], on_unsupported: OnUnsupported
) -> Generator[AnswerSentence, None, Worded]:
    """Every sentence goes to the draft; on go those that may be given whatever follows."""
    with closing(words):
        while True:
            try:
                sentence = next(words)
            except StopIteration as end:
                worded: Worded = end.value
                return worded
            draft.append(sentence)
            if on_unsupported is not OnUnsupported.ESCALATE:
                yield from outcome.given([sentence], on_unsupported)


def _in_quotes(
    asked: AskedQuestion, found: _Found, quoted: _Judged, *, degraded: tuple[str, ...] = ()
) -> Generator[AnswerSentence, None, Finished]:
    yield from quoted.decided.sentences
    return _finished(asked, found, quoted, EXTRACTIVE, degraded)


def _finished(asked: AskedQuestion, found: _Found, judged: _Judged, generated: Generated, degraded: tuple[str, ...]) -> Finished:
    retrieved = replace(asked.retrieved, degraded=(*asked.retrieved.degraded, *degraded))
    answer = Answer(
        judged.decided.outcome,
        judged.decided.sentences,
        judged.decided.reason,
        retrieved,
        confidence=judged.confidence,
        conflicts=found.conflicts,
        generated=generated,
    )
    return Finished(answer, judged.draft, judged.decided.reasons)


def _policies_of(found: _Found, sentences: Sequence[AnswerSentence]) -> tuple[AnswerPolicy, ...]:
    """Of the sources that the sentences stand on; of all that was found where they stand on none."""
    cited = {citation.source for sentence in sentences for citation in sentence.citations}
    return tuple(policy for source, policy in found.policies.items() if source in cited or not cited)
