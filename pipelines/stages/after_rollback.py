"""Go back, and have what follows the catalog follow: the graph, and an index that nobody else brings up to date."""

from pipelines.stages.graph import update_graph
from pipelines.stages.index import have_index_follow
from retrieval.bootstrap import Ingestion
from retrieval.domain.versions import RollbackRequest, RolledBack


def go_back(ingestion: Ingestion, request: RollbackRequest, *, by: str, without_refused: bool = False) -> RolledBack:
    """Raises InvalidInput and Conflict when nothing went back, Fenced when a run has begun since: it brings the graph along."""
    catalog, settings = ingestion.catalog, ingestion.settings
    done = catalog.rollback.roll_back(request, model=ingestion.embedder.model, by=by, without_refused=without_refused)
    update_graph(
        catalog.graph_store,
        done.run,
        glossary=catalog.glossaries.terms(request.source),
        batch=settings.graph_batch_documents,
        max_name_characters=settings.graph_name_max_characters,
    )
    have_index_follow(ingestion)
    return done
