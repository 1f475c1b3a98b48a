"""What decided escalations teach, and keeping it true: called again and again in the background. Doing it twice changes nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from retrieval.domain.clock import Clock, stamp, unstamp
from retrieval.domain.curated import CuratedDraft
from retrieval.domain.escalations import Escalation, Resolution, ResolutionKind
from retrieval.domain.gaps import NO_SOURCE, Gap, GapKind
from retrieval.learning_service.promises import has_promise
from retrieval.ports.learning import Anchoring, Forgetting, Lesson, Lessons
from retrieval.ports.reviewing import Resolutions
from retrieval.settings import Settings

LOOKED_BACK = timedelta(minutes=5)
"""Decisions are learned from in the order of their times; one that took long to be committed is found by looking back."""
FORGETS_EVERY = timedelta(hours=1)


class Learner:
    """Learns from resolutions, follows documents, forgets what is old."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        resolutions: Resolutions,
        lessons: Lessons,
        anchoring: Anchoring,
        forgetting: Forgetting,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._resolutions = resolutions
        self._lessons = lessons
        self._anchoring = anchoring
        self._forgetting = forgetting
        self._forgot_at: datetime | None = None
        self._seen: frozenset[str] = frozenset()
        """Of the time that is looked back on: what need not be learned again."""

    def upkeep(self) -> None:
        """Raises CatalogUnavailable; what was done until then is done."""
        self.learn()
        self._anchoring.anchor(most=self._settings.learning_batch)
        now = self._clock.now()
        if self._forgot_at is None or now - self._forgot_at >= FORGETS_EVERY:
            kept = self._settings
            self._forgetting.forget_before(
                answers_before=now - timedelta(days=kept.answers_kept_days), gaps_before=now - timedelta(days=kept.gaps_kept_days)
            )
            self._forgot_at = now

    def learn(self) -> int:
        """Learn from every decision that this process has not learned from yet. How many there were."""
        progress = self._lessons.progress()
        after = _a_little_before(progress)
        before, self._seen = self._seen, frozenset()
        learned = 0
        while decided := self._resolutions.decided(after=after, count=self._settings.learning_batch):
            new = [escalation for escalation in decided if escalation.id not in before]
            if new:
                progress = max(progress, _position(new[-1]))  # never back: a decision that was late moves nothing
                self._learn_from(new, progress)
            learned += len(new)
            self._seen |= {escalation.id for escalation in decided}
            after = _position(decided[-1])
        return learned

    def _learn_from(self, decided: Sequence[Escalation], progress: str) -> None:
        expires_at = self._clock.now() + timedelta(days=self._settings.curated_days)
        lessons = [self._lesson(escalation) for escalation in decided]
        self._lessons.learn(lessons, expires_at=expires_at, progress=progress)

    def _lesson(self, escalation: Escalation) -> Lesson:
        resolution = escalation.resolution
        if resolution is None:
            return Lesson(None, ())
        is_curated = resolution.is_curated or self._settings.curated_automatic
        return Lesson(CuratedDraft.of(escalation) if is_curated else None, tuple(self._gaps(escalation, resolution)))

    def _gaps(self, escalation: Escalation, resolution: Resolution) -> list[Gap]:
        if resolution.knowledge_gap:
            kind, note = GapKind.MARKED, resolution.knowledge_gap
        elif resolution.kind is ResolutionKind.REJECTED:
            kind, note = GapKind.REJECTED, ""
        else:
            return []
        asker, question = escalation.asker, escalation.draft.question
        topics_only = has_promise(asker, self._settings)
        return [
            Gap(source, kind, escalation.id, unstamp(resolution.at), asker.subject, question, topics_only, note)
            for source in _sources(escalation)
        ]


def _sources(escalation: Escalation) -> tuple[str, ...]:
    """Whose owners are told: of the source that it was routed to, else of those asked, else of those found."""
    if escalation.source:
        return (escalation.source,)
    return escalation.draft.sources or tuple(sorted(escalation.sources)) or (NO_SOURCE,)


def _position(escalation: Escalation) -> str:
    return f"{escalation.closed_at}|{escalation.id}"


def _a_little_before(position: str) -> str:
    if not position:
        return ""
    moment = unstamp(position.partition("|")[0])
    return f"{stamp(moment - LOOKED_BACK)}|"
