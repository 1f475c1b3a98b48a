"""What becomes of a question: answered, abstained, or escalated to a person. Decided from what the asker may read, and nothing else.

The first row that holds gives the reason; every further one that holds is told to a reviewer beside it.

| holds                                                                            | reason              |
|----------------------------------------------------------------------------------|---------------------|
| no evidence was found                                                            | nothing_found       |
| what was found is about something else                                           | out_of_scope        |
| a conflict touches the answer, and is not settled (below)                        | conflicting_sources |
| a sentence stands only on what is too old for its source's owner                 | stale               |
| no sentence is supported, or one is not and a source asks for a person then      | unsupported         |
| the confidence does not suffice                                                  | low_confidence      |
| none of them                                                                     | answered            |

With a reason it goes to a person, or it is an abstention:

| asker's wish | `automatic`                                        | `on_request` | `never`   |
|--------------|----------------------------------------------------|--------------|-----------|
| a person     | escalated                                          | escalated    | abstained |
| none told    | escalated; abstained if nothing is there to review | abstained    | abstained |
| no person    | abstained                                          | abstained    | abstained |

Nothing is there to review when nothing was found, or only what is about something else.

A conflict is settled when one of the two sources has more authority by its owner's word, the answer does not cite the other, and no source
of the answer is of the high risk tier. The date settles nothing: whoever smuggles a document in makes it the newest. Settled or not, both
sides are shown.

Of several policies the strictest holds: `escalate` before `drop` before `flag`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from retrieval.domain.answer_policy import UNSAID, AnswerPolicy, EscalationMode, OnUnsupported, RiskTier
from retrieval.domain.answers import AnswerOutcome, AnswerSentence, Citation, Confidence, Conflict, Reason, Verdict

_STRICTEST = (OnUnsupported.ESCALATE, OnUnsupported.DROP, OnUnsupported.FLAG)
_NOTHING_TO_REVIEW = frozenset({Reason.NOTHING_FOUND, Reason.OUT_OF_SCOPE})


@dataclass(frozen=True)
class Findings:
    """What is known of an answer before it is decided what becomes of it.

    Attributes:
        found: whether there is any evidence.
        in_scope: whether what was found is about what is asked.
        sentences: the answer as it was worded, unsupported sentences among them.
        confidence: None where none was told: then it decides nothing.
        conflicts: as `weighed` gives them.
        stale: sentences that stand only on what is too old.
        policies: of the sources that the answer stands on.
    """

    found: bool
    in_scope: bool = True
    sentences: tuple[AnswerSentence, ...] = ()
    confidence: Confidence | None = None
    conflicts: tuple[Conflict, ...] = ()
    stale: tuple[AnswerSentence, ...] = ()
    policies: tuple[AnswerPolicy, ...] = ()


@dataclass(frozen=True)
class Decided:
    """What becomes of a question.

    Attributes:
        reasons: all that speak against answering, the weightiest first; empty for an answer.
        sentences: what is given to the asker; empty unless it is an answer.
    """

    outcome: AnswerOutcome
    reasons: tuple[Reason, ...]
    sentences: tuple[AnswerSentence, ...]

    @property
    def reason(self) -> Reason | None:
        return self.reasons[0] if self.reasons else None


def decide(findings: Findings, *, unsupported: OnUnsupported, escalation: EscalationMode, person_wanted: bool | None) -> Decided:
    """What becomes of it, by the table above.

    Args:
        findings: told from what the asker may read alone.
        unsupported: what holds where a source's owner does not say.
        escalation: as the settings say.
        person_wanted: whether the asker wishes that a person looks at what is not answered; None: not told.
    """
    on_unsupported = strictest(findings.policies, unsupported)
    reasons = _reasons(findings, on_unsupported)
    if not reasons:
        return Decided(AnswerOutcome.ANSWERED, (), given(findings.sentences, on_unsupported))
    escalated = _goes_to_a_person(reasons[0], escalation, wanted=person_wanted)
    return Decided(AnswerOutcome.ESCALATED if escalated else AnswerOutcome.ABSTAINED, reasons, ())


def weighed(conflicts: Sequence[Conflict], policies: Mapping[str, AnswerPolicy]) -> tuple[Conflict, ...]:
    """The conflicts with each side's authority, the side with more of it first, and of equals the one modified last."""
    return tuple(_weighed(conflict, policies) for conflict in conflicts)


def outweighed(conflicts: Sequence[Conflict]) -> tuple[Citation, ...]:
    """The sides that have less authority than what contradicts them: an answer should not be made of these."""
    return tuple(conflict.other for conflict in conflicts if _is_outweighed(conflict))


def overlap(one: Citation, other: Citation) -> bool:
    """Whether two citations share a character of the same version."""
    return one.version == other.version and one.span.start < other.span.end and other.span.start < one.span.end


def _reasons(findings: Findings, on_unsupported: OnUnsupported) -> tuple[Reason, ...]:
    if not findings.found:
        return (Reason.NOTHING_FOUND,)
    supported = [sentence for sentence in findings.sentences if sentence.verdict is not Verdict.UNSUPPORTED]
    one_is_not = len(supported) < len(findings.sentences)
    against = {
        Reason.OUT_OF_SCOPE: not findings.in_scope,
        Reason.CONFLICTING_SOURCES: any(_blocks(conflict, findings) for conflict in findings.conflicts),
        Reason.STALE: bool(findings.stale),
        Reason.UNSUPPORTED: not supported or (one_is_not and on_unsupported is OnUnsupported.ESCALATE),
        Reason.LOW_CONFIDENCE: findings.confidence is not None and not findings.confidence.suffices,
    }
    return tuple(reason for reason, holds in against.items() if holds)


def _blocks(conflict: Conflict, findings: Findings) -> bool:
    """Whether it touches the answer and is not settled. Where there is no answer to touch, every conflict counts."""
    cited = [citation for sentence in findings.sentences for citation in sentence.citations]
    stands_on = [any(overlap(side, citation) for citation in cited) for side in (conflict.one, conflict.other)]
    if cited and not any(stands_on):
        return False
    is_settled = _is_outweighed(conflict) and not stands_on[1]
    return not is_settled or any(policy.risk_tier is RiskTier.HIGH for policy in findings.policies)


def _is_outweighed(conflict: Conflict) -> bool:
    return conflict.authority[0] > conflict.authority[1]


def _goes_to_a_person(reason: Reason, mode: EscalationMode, *, wanted: bool | None) -> bool:
    if mode is EscalationMode.NEVER or wanted is False:
        return False
    return wanted is True or (mode is EscalationMode.AUTOMATIC and reason not in _NOTHING_TO_REVIEW)


def given(sentences: Sequence[AnswerSentence], on_unsupported: OnUnsupported) -> tuple[AnswerSentence, ...]:
    """Those of an answer's sentences that its asker is shown."""
    if on_unsupported is OnUnsupported.FLAG:
        return tuple(sentences)
    return tuple(sentence for sentence in sentences if sentence.verdict is not Verdict.UNSUPPORTED)


def strictest(policies: Iterable[AnswerPolicy], default: OnUnsupported) -> OnUnsupported:
    """What becomes of unsupported sentences where these policies hold together; `default` where one does not say."""
    said = {policy.on_unsupported or default for policy in policies} or {default}
    return next(each for each in _STRICTEST if each in said)


def _weighed(conflict: Conflict, policies: Mapping[str, AnswerPolicy]) -> Conflict:
    one, other = (policies.get(side.source, UNSAID).authority for side in (conflict.one, conflict.other))
    if (one, conflict.dates[0] or "") >= (other, conflict.dates[1] or ""):
        return replace(conflict, authority=(one, other))
    return Conflict(conflict.other, conflict.one, conflict.about, conflict.dates[::-1], (other, one))
