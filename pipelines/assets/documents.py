"""The asset that fetches and parses."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import dagster as dg

from pipelines.assets.partitions import SOURCES
from pipelines.assets.previews import counts_table, quarantine_table
from pipelines.assets.source_listing import source_listing
from pipelines.assets.stage import at_work, connected
from pipelines.parsing.sandbox import ParseJob, ParsePool
from pipelines.parsing.version import PARSER_VERSION
from pipelines.recipe import recipe_of
from pipelines.resources import Workbench
from pipelines.stages.look_inside import LookInside, recipe_under
from pipelines.stages.take_in import Parser, TakeIn
from retrieval.domain.documents import ParsedDocument, Rejection


@dg.asset(partitions_def=SOURCES, group_name="ingestion", code_version=PARSER_VERSION, deps=[source_listing], kinds={"sql"})
def documents(context: dg.AssetExecutionContext, workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[None]:
    """New and changed documents, fetched and parsed. One row is one staged document version."""
    with at_work(context, workbench, "documents") as stage, connected(stage) as connector, ParsePool(stage.settings) as parser:
        terms = stage.contract
        found = TakeIn(
            connector=connector,
            staging=stage.catalog.staging,
            blobs=stage.ingestion.blobs,
            parser=_Warming(parser, stage.ingestion.warm_up),
            run=stage.run,
            recipe=recipe_under(recipe_of(stage.settings), terms),
            parser_version=PARSER_VERSION,
            progress=stage.tell,
            look=LookInside(terms, stage.catalog.inspections, stage.catalog.staging.remember_parsed),
        ).take_in()
        stage.catalog.inspections.restrict(stage.run, terms)
        held = stage.catalog.staging.quarantined(stage.run.source)
        counts = {
            "unchanged": found.unchanged,
            "parsed": found.parsed,
            "reused": found.reused,
            "gone": found.gone,
            "quarantined": len(held),
        }
        shown = {"rejected in this run": counts_table("code", found.rejected), "quarantine": quarantine_table(held)}
        return stage.result(counts, **shown)


@dataclass(frozen=True)
class _Warming:
    """Parses, and has the model loaded meanwhile: what is parsed will be embedded. Where nothing is new, nothing is loaded."""

    parser: Parser
    warm_up: Callable[[], None]

    def parse_many(self, jobs: Iterable[ParseJob]) -> Iterator[tuple[ParseJob, ParsedDocument | Rejection]]:
        return self.parser.parse_many(map(self._noticed, jobs))

    def _noticed(self, job: ParseJob) -> ParseJob:
        self.warm_up()
        return job
