"""Learning from people, wired: curated answers, feedback, gap reports, and what keeps them."""

from dataclasses import dataclass

from retrieval.learning_service.curating import Curating
from retrieval.learning_service.gap_reports import GapReports
from retrieval.learning_service.hearing import Hearing
from retrieval.learning_service.lessons import Learner
from retrieval.ports.learning import Refreshing


@dataclass(frozen=True)
class LearningService:
    """What the answering service, the routes and the console ask of it."""

    curated: Curating
    feedback: Hearing
    gaps: GapReports
    learner: Learner
    memory: Refreshing

    def upkeep(self) -> None:
        """Called again and again in the background; whatever it did not get to, it finds the next time.

        Raises:
            CatalogUnavailable: the catalog does not answer.
        """
        self.learner.upkeep()
        self.memory.refresh()
