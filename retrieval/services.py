"""Every service over one catalog and one read path, each made when it is first asked for."""
# ruff: noqa: PLC0415 - adapters are imported where they are needed

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from retrieval.access_service import AccessService
from retrieval.adapters.catalog.catalog import Catalog
from retrieval.answer_service import AnswerParts, AnswerService
from retrieval.citation_service import CitationService
from retrieval.domain.clock import Clock, SystemClock
from retrieval.domain.embedding_models import SEARCHED, EmbeddingModel
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import Principal
from retrieval.escalation_service import EscalationService
from retrieval.graph_service import GraphService
from retrieval.learning_service.curating import Curating
from retrieval.learning_service.gap_reports import GapReports
from retrieval.learning_service.hearing import Hearing
from retrieval.learning_service.lessons import Learner
from retrieval.learning_service.service import LearningService
from retrieval.lineage_service import LineageService
from retrieval.ports.generation import Generator
from retrieval.push_service import PushService
from retrieval.review_service import ReviewService
from retrieval.service import KnowledgeService
from retrieval.settings import Settings
from retrieval.version_service import VersionReading
from retrieval.wording import Wording


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the API asks.

    Attributes:
        knowledge: the read path, over the same catalog.
        generators: that word answers, as they are preferred; none: answers are made of quotes.
    """

    settings: Settings
    catalog: Catalog
    knowledge: KnowledgeService
    clock: Clock = field(default_factory=SystemClock)
    generators: Sequence[Generator] = ()

    @cached_property
    def answers(self) -> AnswerService:
        parts = AnswerParts(
            policies=self.catalog.answer_policies,
            calibrations=self.catalog.calibrations,
            clock=self.clock,
            wording=self._wording(),
            curated=self.learning.curated,
            given=self.learning.feedback,
            escalating=self.escalations,
            access=self.access,
            receipts=self.catalog.citations,
        )
        return AnswerService(self.settings, self.knowledge, parts)

    @cached_property
    def citations(self) -> CitationService:
        return CitationService(self.catalog.citations, self.catalog.audit)

    @cached_property
    def lineage(self) -> LineageService:
        return LineageService(self.settings, self.catalog.lineage, self.catalog.recalls, self.catalog.audit)

    @cached_property
    def versions(self) -> VersionReading:
        return VersionReading(self.settings, self.catalog.versions, self.catalog.audit)

    @cached_property
    def graph(self) -> GraphService:
        return GraphService(self.settings, self.catalog.graph, self.catalog.audit)

    @cached_property
    def escalations(self) -> EscalationService:
        catalog = self.catalog
        return EscalationService(
            self.settings,
            catalog.gate,
            catalog.escalations,
            catalog.escalation_writer,
            catalog.answer_policies,
            catalog.audit,
            self.clock,
        )

    @cached_property
    def reviews(self) -> ReviewService:
        catalog = self.catalog
        return ReviewService(self.settings, catalog.gate, catalog.escalations, catalog.escalation_writer, catalog.audit, self.clock)

    @cached_property
    def pushing(self) -> PushService:
        from retrieval.adapters.blobs import FsspecBlobs

        return PushService(self.settings, self.catalog.pushed, FsspecBlobs(self.settings.resolved_blob_url))

    @cached_property
    def access(self) -> AccessService:
        """Its `work` is to be called again and again: `bootstrap.open_service` does."""
        catalog = self.catalog
        return AccessService(
            self.settings,
            catalog.gate,
            catalog.sources,
            catalog.answer_policies,
            catalog.access_requests,
            catalog.audit,
            self._passages_that_answer,
        )

    @cached_property
    def learning(self) -> LearningService:
        """Its `upkeep` is to be called again and again: `bootstrap.open_service` does."""
        from retrieval.adapters.curated_memories import CuratedMemories
        from retrieval.adapters.curated_memory import CuratedMemory

        settings, clock, kept, audit = self.settings, self.clock, self.catalog.learning, self.catalog.audit
        similar, alike = settings.curated_min_similarity, settings.curated_min_overlap
        embedder = self.knowledge.embedder
        memory = CuratedMemories(
            lambda model: CuratedMemory(kept.feed, model, clock, min_similarity=similar, min_overlap=alike), self.knowledge.prepared
        )
        return LearningService(
            curated=Curating(settings, clock, memory, kept.curated, kept.shown, audit),
            feedback=Hearing(settings, clock, kept.given, self.catalog.answer_policies, kept.curated, kept.shown, self.escalations),
            gaps=GapReports(settings, clock, kept.gaps, embedder, audit),
            learner=Learner(
                settings,
                clock,
                resolutions=self.catalog.escalations,
                lessons=kept.lessons,
                anchoring=kept.anchoring,
                forgetting=kept.forgetting,
            ),
            memory=memory,
        )

    def embedding_models(self) -> Sequence[tuple[EmbeddingModel, bool]]:
        """The live model and those ready to become it, each with whether this process can answer by it. Raises CatalogUnavailable."""
        prepared = {embedder.model for embedder in self.knowledge.prepared()}
        return [(model, model.id in prepared) for model in self.catalog.embedding_models.all() if model.state in SEARCHED]

    def _passages_that_answer(self, owner: Principal, question: str, source: str) -> Sequence[ReadablePassage]:
        """Asked long after both services are made: each knows the other."""
        return self.answers.passages_that_answer(owner, question, source)

    def _wording(self) -> Wording | None:
        """Raises InvalidInput for a prompt that is not there."""
        if not self.generators:
            return None
        from retrieval.adapters.prompt_files import read_prompt

        prompt = read_prompt(self.settings.resolved_prompts_directory, self.settings.answer_prompt)
        return Wording(self.settings, self.generators, prompt, self.catalog.usage)
