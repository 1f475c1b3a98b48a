"""What Dagster loads: a table of contents."""

import dagster as dg

from pipelines.assets.documents import documents
from pipelines.assets.embeddings import embeddings
from pipelines.assets.knowledge_graph import knowledge_graph
from pipelines.assets.model_vectors import model_is_as_good, model_vectors
from pipelines.assets.passage_index import passage_index
from pipelines.assets.passages import passages
from pipelines.assets.publication import publication
from pipelines.assets.source_health import source_health
from pipelines.assets.source_listing import source_listing
from pipelines.assets.source_registration import source_registration
from pipelines.checks.contract import CONTRACT_CHECKS
from pipelines.checks.health import HEALTH_CHECKS
from pipelines.checks.standing import CHECKS
from pipelines.jobs.check_health import check_source_health, health_looked_at
from pipelines.jobs.erase import erase
from pipelines.jobs.import_directory import directory_files_read, import_directory_job
from pipelines.jobs.ingest_source import ingest_source
from pipelines.jobs.models import MODEL_JOBS
from pipelines.jobs.recall import recall_document
from pipelines.jobs.register_source import REGISTRATION_JOBS
from pipelines.jobs.retention import old_versions_removed, retention
from pipelines.jobs.rollback import ROLLBACK_JOBS
from pipelines.jobs.source_states import STATE_JOBS
from pipelines.resources import Workbench
from pipelines.schedules import due_sources
from pipelines.sensors import source_registry


def definitions_over(workbench: Workbench) -> dg.Definitions:
    """Everything, working with this catalog and these models."""
    return dg.Definitions(
        assets=[
            source_registration,
            source_health,
            source_listing,
            documents,
            passages,
            embeddings,
            publication,
            knowledge_graph,
            passage_index,
            model_vectors,
        ],
        asset_checks=[model_is_as_good, *CHECKS, *CONTRACT_CHECKS, *HEALTH_CHECKS],
        jobs=[
            ingest_source,
            check_source_health,
            import_directory_job,
            *REGISTRATION_JOBS,
            *STATE_JOBS,
            *MODEL_JOBS,
            *ROLLBACK_JOBS,
            retention,
            erase,
            recall_document,
        ],
        sensors=[source_registry],
        schedules=[due_sources, health_looked_at, directory_files_read, old_versions_removed],
        resources={"workbench": workbench},
        executor=dg.in_process_executor,
    )


definitions = definitions_over(Workbench())
