"""The asset that finds entities, where they are mentioned and how they are related."""

import dagster as dg

from pipelines.assets.partitions import SOURCES
from pipelines.assets.previews import counts_table, table
from pipelines.assets.publication import publication
from pipelines.assets.stage import at_work
from pipelines.resources import Workbench
from pipelines.stages.graph import update_graph
from retrieval.domain.entities import EXTRACTOR_VERSION
from retrieval.domain.ingestion import MostMentioned

MOST_MENTIONED = 10


@dg.asset(partitions_def=SOURCES, group_name="ingestion", code_version=str(EXTRACTOR_VERSION), deps=[publication], kinds={"sql"})
def knowledge_graph(context: dg.AssetExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[None]:
    """Entities in current passages and relations between them. One row is one mention."""
    with at_work(context, workbench, "graph") as stage:
        changes = update_graph(
            stage.catalog.graph_store,
            stage.run,
            glossary=stage.catalog.glossaries.terms(stage.run.source),
            batch=stage.settings.graph_batch_documents,
            max_name_characters=stage.settings.graph_name_max_characters,
            progress=stage.tell,
        )
        held = stage.catalog.graph_store.counts(stage.run.source, most=MOST_MENTIONED)
        shown = {
            "dagster/row_count": held.mentions,
            "relations held": held.relations,
            "entities by kind": counts_table("kind", held.entities, of="entities"),
            "most mentioned": _most_mentioned(held.most_mentioned),
        }
        return stage.result(changes, **shown)


def _most_mentioned(entities: tuple[MostMentioned, ...]) -> dg.TableMetadataValue:
    """By name only where the source's owner has put the name into the glossary: other names are words of documents."""
    rows = [(each.term or each.entity, each.kind, each.passages) for each in entities]
    return table(("entity", "kind", "passages"), rows)
