"""Gap reports: what people asked and a source did not tell, for its owner. Words are shown only where enough different people used them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.domain.audit import OPERATOR, AuditAction, AuditEntry, actors
from retrieval.domain.clock import Clock
from retrieval.domain.escalations import normalised
from retrieval.domain.gaps import Gap, GapGroup, GapKind, check_month, in_order, least_askers
from retrieval.domain.permissions import Principal
from retrieval.domain.same_question import agree, asked_words
from retrieval.ports.audit import AuditLog
from retrieval.ports.learning import GapReader
from retrieval.ports.models import Embedder
from retrieval.settings import Settings

_OF_DOCUMENTS = frozenset({GapKind.OUTDATED, GapKind.CITATION_WRONG, GapKind.STALE})
_SHOWN_NOTES = 20
_SHOWN_TOPICS = 12


@dataclass(frozen=True)
class GapReports:
    """Reports are made when they are asked for, of one month."""

    settings: Settings
    clock: Clock
    gaps: GapReader
    embedder: Embedder
    audit: AuditLog

    def owned(
        self, principal: Principal, *, month: str | None = None, source: str | None = None, request_id: str | None = None
    ) -> Sequence[GapGroup]:
        """Of the sources that the principal owns, or of one of them; of one that it does not own, nothing. Recorded.

        Raises:
            InvalidInput: `month` is not written as a month.
        """
        mine = [each for each in self.gaps.owned(principal) if source in (None, each)]
        actor, act_for = actors(principal)
        return self._report(mine, month, AuditEntry(AuditAction.GAPS_READ, actor, act_for, request_id=request_id))

    def sources_of(self, principal: Principal) -> Sequence[str]:
        """That the principal, or a group that it is in, owns."""
        return self.gaps.owned(principal)

    def told(self, sources: Sequence[str], *, month: str | None = None) -> Sequence[GapGroup]:
        """Of any sources, `NO_SOURCE` among them, for whoever works on the machine itself. Recorded. Raises like `owned`."""
        return self._report(sources, month, AuditEntry(AuditAction.GAPS_READ, OPERATOR.subject))

    def _report(self, sources: Sequence[str], month: str | None, entry: AuditEntry) -> Sequence[GapGroup]:
        of = check_month(month) if month is not None else self.clock.now().strftime("%Y-%m")
        occasions: dict[tuple[str, GapKind], list[Gap]] = {}
        for gap in self.gaps.of(sources, month=of, most=self.settings.gap_max_occasions) if sources else ():
            occasions.setdefault((gap.source, gap.kind), []).append(gap)
        groups = [group for (_, kind), some in occasions.items() for group in self._groups(kind, some)]
        self.audit.record(_with_details(entry, sources, of))
        return in_order(groups)

    def _groups(self, kind: GapKind, occasions: Sequence[Gap]) -> Iterable[GapGroup]:
        if kind in _OF_DOCUMENTS:
            by_document: dict[str | None, list[Gap]] = {}
            for gap in occasions:
                by_document.setdefault(gap.document, []).append(gap)
            return [_group(some, document=document) for document, some in by_document.items()]
        return self._of_questions(kind, occasions)

    def _of_questions(self, kind: GapKind, occasions: Sequence[Gap]) -> Iterable[GapGroup]:
        """One for each question that may be shown, and one for all others together."""
        least = least_askers(kind, automatic=self.settings.gap_min_askers, marked=self.settings.gap_min_askers_marked)
        others: list[Gap] = []
        for same in self._alike(occasions):
            showing = [gap for gap in same if gap.question is not None and not gap.topics_only]
            if len({gap.asker for gap in showing}) >= least:
                yield _group(same, question=_usual_words(showing, least))
            else:
                others += same
        if others:
            yield _group(others, topics=_topics(others, least))

    def _alike(self, occasions: Sequence[Gap]) -> list[list[Gap]]:
        """Near duplicates together: first those of equal words, then by vectors and words, the most frequent question first."""
        by_words: dict[str, list[Gap]] = {}
        for gap in occasions:
            by_words.setdefault(normalised(gap.question or ""), []).append(gap)
        ordered = sorted(by_words, key=lambda words: (-len(by_words[words]), words))
        compared = [words for words in ordered if words][: self.settings.gap_max_questions]
        if len(compared) < 2:
            return list(by_words.values())
        vectors = self.embedder.embed(compared)
        near = vectors @ vectors.T >= self.settings.curated_min_similarity
        said = [asked_words(by_words[words][0].question or words) for words in compared]
        first_of = dict.fromkeys(ordered, "")
        for row, words in enumerate(compared):
            twins = [
                compared[other]
                for other in np.flatnonzero(near[row, :row])
                if first_of[compared[other]] == compared[other]
                and agree(said[row], said[other], min_overlap=self.settings.curated_min_overlap)
            ]
            first_of[words] = twins[0] if twins else words
        together: dict[str, list[Gap]] = {}
        for words in ordered:
            together.setdefault(first_of[words] or words, []).extend(by_words[words])
        return list(together.values())


def _group(occasions: Sequence[Gap], *, question: str | None = None, topics: tuple[str, ...] = (), document: str | None = None) -> GapGroup:
    """Notes are shown with a question or a document only: elsewhere they could tell the words."""
    some = occasions[0]
    notes = [gap.note for gap in occasions if gap.note] if question is not None or document is not None else []
    return GapGroup(
        some.source,
        some.month,
        some.kind,
        len(occasions),
        question=question,
        topics=topics,
        document=document,
        notes=tuple(dict.fromkeys(notes))[:_SHOWN_NOTES],
        last_at=max(gap.at for gap in occasions),
    )


def _usual_words(occasions: Sequence[Gap], least: int) -> str:
    """The wording with the fewest terms that are only few people's, then that of most people; of equals the first in the alphabet."""
    written = Counter(words for words, _ in {(gap.question or "", gap.asker) for gap in occasions})
    used = _people_by_term(occasions)

    def rare(words: str) -> int:
        return sum(used[term] < least for term in asked_words(words).terms)

    return min(written, key=lambda words: (rare(words), -written[words], words))


def _topics(occasions: Sequence[Gap], least: int) -> tuple[str, ...]:
    """Terms that enough different people used, at least two, the most used first."""
    used = _people_by_term(occasions)
    shown = sorted((term for term, people in used.items() if people >= max(least, 2)), key=lambda term: (-used[term], term))
    return tuple(shown[:_SHOWN_TOPICS])


def _people_by_term(occasions: Sequence[Gap]) -> Counter[str]:
    """How many different people used each term."""
    return Counter(term for term, _ in {(term, gap.asker) for gap in occasions for term in asked_words(gap.question or "").terms})


def _with_details(entry: AuditEntry, sources: Sequence[str], month: str) -> AuditEntry:
    return AuditEntry(
        entry.action, entry.actor, entry.act_for, request_id=entry.request_id, details={"sources": list(sources), "month": month}
    )
