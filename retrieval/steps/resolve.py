"""A reviewer's decision as a resolution: every quote checked against what the reviewer may read, everything else confirmed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.domain.answers import AnswerSentence, Verdict
from retrieval.domain.documents import Span
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.escalations import CitedSpan, EscalationDraft, HeldSentence, Resolution, ResolutionKind
from retrieval.domain.ids import text_hash
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.reviews import Amendment, Approval, Decision, Rejection, SubmittedCitation, SubmittedSentence
from retrieval.settings import Settings


@dataclass(frozen=True)
class Deciding:
    """Who decides, when, and what they see.

    Attributes:
        draft: each of the draft's sentences as it is shown to them; None for one that is withheld.
        readable: by id, of the passages that the decision cites those that they may read.
    """

    by: str
    at: str
    draft: Sequence[AnswerSentence | None]
    readable: Mapping[str, ReadablePassage]


def resolve(decision: Decision, draft: EscalationDraft, deciding: Deciding, settings: Settings) -> Resolution:
    """Raises InvalidInput naming everything that is wrong with the decision."""
    problems: list[FieldProblem] = []
    match decision.judgement:
        case Approval():
            kind, sentences = ResolutionKind.APPROVED, _approved(draft, deciding.draft, problems)
        case Amendment() as amendment:
            kind, sentences = _amended(amendment, deciding.readable, settings, problems)
        case Rejection(reason):
            kind, sentences = ResolutionKind.REJECTED, ()
            if not reason.strip():
                problems.append(FieldProblem("reason", "must say why there is no answer"))
    reason = decision.judgement.reason if isinstance(decision.judgement, Rejection) else decision.reason
    for name, text in (("reason", reason), ("knowledge_gap", decision.knowledge_gap)):
        _check_length(name, text, settings, problems)
    if problems:
        raise InvalidInput(problems)
    return Resolution(
        kind,
        sentences,
        deciding.by,
        deciding.at,
        reason,
        decision.knowledge_gap,
        decision.is_curated and kind is not ResolutionKind.REJECTED,
    )


def _approved(draft: EscalationDraft, shown: Sequence[AnswerSentence | None], problems: list[FieldProblem]) -> tuple[HeldSentence, ...]:
    if not draft.sentences:
        problems.append(FieldProblem("judgement", "there is no draft to approve"))
    elif None in shown:
        problems.append(FieldProblem("judgement", "approves a draft that you do not see as a whole: amend it"))
    elif not all(sentence.cites for sentence in draft.sentences):
        problems.append(FieldProblem("judgement", "approves a sentence without a citation: amend it"))
    return draft.sentences


def _amended(
    amendment: Amendment, readable: Mapping[str, ReadablePassage], settings: Settings, problems: list[FieldProblem]
) -> tuple[ResolutionKind, tuple[HeldSentence, ...]]:
    if not 1 <= len(amendment.sentences) <= settings.escalation_max_sentences:
        problems.append(FieldProblem("sentences", "must be the answer", f"1 to {settings.escalation_max_sentences} sentences"))
    held = tuple(_sentence(f"sentences[{n}]", each, readable, settings, problems) for n, each in enumerate(amendment.sentences, 1))
    is_own = any(not each.citations for each in amendment.sentences)
    if is_own and not amendment.own_knowledge:
        problems.append(FieldProblem("own_knowledge", "must confirm sentences without a citation"))
    return ResolutionKind.OWN_KNOWLEDGE if is_own else ResolutionKind.AMENDED, held


def _sentence(
    name: str, sentence: SubmittedSentence, readable: Mapping[str, ReadablePassage], settings: Settings, problems: list[FieldProblem]
) -> HeldSentence:
    if not sentence.text.strip():
        problems.append(FieldProblem(f"{name}.text", "must not be empty"))
    _check_length(f"{name}.text", sentence.text, settings, problems)
    if len(sentence.citations) > settings.escalation_max_citations:
        problems.append(FieldProblem(f"{name}.citations", "are too many", f"{settings.escalation_max_citations} citations"))
    cites = [_cited(f"{name}.citations[{n}]", each, readable, problems) for n, each in enumerate(sentence.citations, 1)]
    return HeldSentence(sentence.text, tuple(each for each in cites if each is not None), _verdict(sentence))


def _verdict(sentence: SubmittedSentence) -> Verdict:
    if not sentence.citations:
        return Verdict.UNSUPPORTED
    return Verdict.QUOTED if sentence.text == sentence.citations[0].quote else Verdict.SUPPORTED


def _cited(
    name: str, citation: SubmittedCitation, readable: Mapping[str, ReadablePassage], problems: list[FieldProblem]
) -> CitedSpan | None:
    """What is not there and what may not be read are one problem."""
    passage = readable.get(citation.passage)
    if passage is None or not len(citation.span) or not passage.span.contains(citation.span):
        problems.append(FieldProblem(name, "is no span of a passage that you may read"))
        return None
    within = Span(citation.span.start - passage.span.start, citation.span.end - passage.span.start)
    if within.of(passage.text) != citation.quote:
        problems.append(FieldProblem(f"{name}.quote", "is not exactly what stands there"))
        return None
    return CitedSpan(passage.id, passage.document, passage.version, passage.source, citation.span, text_hash(citation.quote))


def _check_length(name: str, text: str, settings: Settings, problems: list[FieldProblem]) -> None:
    if len(text) > settings.escalation_max_sentence_characters:
        problems.append(FieldProblem(name, "is too long", f"{settings.escalation_max_sentence_characters} characters"))
