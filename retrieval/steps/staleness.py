"""Which sentences of an answer stand only on what is too old to be relied on, as the owners of the sources say.

A document is too old when its source names an age and the document was last modified longer ago. One of unknown date is not: what cannot
be told is not held against it. A sentence for which fresher evidence says the same is not stale.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from retrieval.domain.answer_policy import AnswerPolicy
from retrieval.domain.answers import AnswerSentence
from retrieval.domain.evidence import Evidence
from retrieval.domain.passages import ReadablePassage
from retrieval.steps.quotable import says_the_same


def too_old(passages: Iterable[ReadablePassage], policies: Mapping[str, AnswerPolicy], now: datetime) -> frozenset[str]:
    """Ids of the passages that are too old by the policy of their source; a source without a policy names no age."""
    return frozenset(passage.id for passage in passages if _is_too_old(passage, policies.get(passage.source), now))


def stale_sentences(
    sentences: Sequence[AnswerSentence], evidence: Sequence[Evidence], policies: Mapping[str, AnswerPolicy], *, now: datetime
) -> tuple[AnswerSentence, ...]:
    """Those of an answer's sentences that stand on nothing fresh, in their order.

    Args:
        sentences: of the answer.
        evidence: all that was found, of the passages that the sentences cite and of others.
        policies: by source.
        now: with a time zone.
    """
    old = too_old((one.passage for one in evidence), policies, now)
    if not old:
        return ()
    fresh = [one.text for one in evidence if one.passage.id not in old]
    return tuple(
        sentence
        for sentence in sentences
        if sentence.citations
        and all(citation.passage in old for citation in sentence.citations)
        and not any(says_the_same(citation.quote, text) for citation in sentence.citations for text in fresh)
    )


def _is_too_old(passage: ReadablePassage, policy: AnswerPolicy | None, now: datetime) -> bool:
    if policy is None or policy.max_age_days == 0:
        return False
    modified = moment(passage.modified_at)
    return modified is not None and now - modified > timedelta(days=policy.max_age_days)


def moment(text: str | None) -> datetime | None:
    """A date or time in ISO 8601 as a source gives it, without a time zone taken as UTC; None where it is none."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
