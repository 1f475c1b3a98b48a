"""Curated answers for tests: what a reviewer would have said to a question, quoting the first sentences of a story's documents."""

from datetime import UTC, datetime, timedelta

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.curated_memory import CuratedMemory
from retrieval.domain.answers import AnswerSentence, Citation
from retrieval.domain.clock import Clock
from retrieval.domain.curated import CuratedAnswer, CuratedDraft
from retrieval.domain.escalations import HeldSentence
from retrieval.domain.permissions import Principal
from retrieval.learning_service.curating import Curating
from retrieval.ports.models import Embedder
from retrieval.settings import Settings
from tests.story import Story

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
IN_A_WEEK = NOON + timedelta(days=7)


def quoting(
    story: Story, *keys: str, reader: Principal, question: str = "How long?", escalation: str = "esc_1", asked_by: str = "user:ann"
) -> CuratedDraft:
    """One sentence for each document: its first one, word for word. `reader` reads them all."""
    first = {passage.document: passage for passage in story.gated(reader).readable if passage.ordinal == 0}
    citations = [Citation.of(first[story.document(key)]) for key in keys]
    sentences = tuple(HeldSentence.of(AnswerSentence(citation.quote, citation, 1.0)) for citation in citations)
    return CuratedDraft(escalation, question, asked_by, "user:rita", sentences)


def curate(story: Story, *keys: str, reader: Principal, expires_at: datetime = IN_A_WEEK, **options: str) -> CuratedAnswer:
    return story.catalog.learning.curated.add(quoting(story, *keys, reader=reader, **options), expires_at=expires_at)


def memory_of(catalog: Catalog, embedder: Embedder, clock: Clock, settings: Settings | None = None) -> CuratedMemory:
    """With the usual limits, and everything embedded that is there."""
    limits = settings or Settings()
    memory = CuratedMemory(
        catalog.learning.feed,
        embedder,
        clock,
        min_similarity=limits.curated_min_similarity,
        min_overlap=limits.curated_min_overlap,
    )
    memory.refresh()
    return memory


def curating_of(catalog: Catalog, embedder: Embedder, clock: Clock, settings: Settings | None = None) -> Curating:
    limits = settings or Settings()
    learning = catalog.learning
    return Curating(limits, clock, memory_of(catalog, embedder, clock, limits), learning.curated, learning.shown, catalog.audit)
