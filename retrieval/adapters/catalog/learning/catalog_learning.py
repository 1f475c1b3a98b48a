"""Everything that the catalog keeps of what people taught, wired."""

from dataclasses import dataclass

from retrieval.adapters.catalog.authority import Authority
from retrieval.adapters.catalog.embeddings import CatalogEmbeddings
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.learning.anchoring import CatalogAnchoring
from retrieval.adapters.catalog.learning.curated import CatalogCurated
from retrieval.adapters.catalog.learning.curated_feed import CatalogCuratedFeed
from retrieval.adapters.catalog.learning.curated_reader import CatalogCuratedReader
from retrieval.adapters.catalog.learning.forgetting import CatalogForgetting
from retrieval.adapters.catalog.learning.gaps import CatalogGaps
from retrieval.adapters.catalog.learning.given import CatalogAnswersGiven
from retrieval.adapters.catalog.learning.lessons import CatalogLessons
from retrieval.ports.reading import GateReader


@dataclass(frozen=True)
class CatalogLearning:
    """The ports of `retrieval/ports/learning.py` that the catalog implements."""

    curated: CatalogCurated
    shown: CatalogCuratedReader
    feed: CatalogCuratedFeed
    anchoring: CatalogAnchoring
    given: CatalogAnswersGiven
    gaps: CatalogGaps
    lessons: CatalogLessons
    forgetting: CatalogForgetting

    @classmethod
    def over(cls, database: Database, authority: Authority, gate: GateReader) -> "CatalogLearning":
        curated = CatalogCurated(database)
        return cls(
            curated=curated,
            shown=CatalogCuratedReader(database, authority, gate),
            feed=CatalogCuratedFeed(database, CatalogEmbeddings(database)),
            anchoring=CatalogAnchoring(database),
            given=CatalogAnswersGiven(database),
            gaps=CatalogGaps(database),
            lessons=CatalogLessons(database, curated),
            forgetting=CatalogForgetting(database),
        )
