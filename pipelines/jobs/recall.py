"""The job by which an owner or an administrator takes something back from its readers. Dry unless told otherwise."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dagster as dg

from pipelines.assets.partitions import SOURCE_TAG
from pipelines.assets.previews import counts_table
from pipelines.jobs.version_forms import DRY_RUN, checked_config
from pipelines.resources import Workbench
from pipelines.stages.index import have_index_follow
from pipelines.who import check_may_change, who
from retrieval.domain.errors import ArchivistError
from retrieval.domain.recalls import RecallCounts, RecallKind, RecallRequest

RECALL_FIELDS = {
    "kind": dg.Field(
        dg.Enum("Recalled", [dg.EnumValue(kind.value) for kind in RecallKind]),
        description="What to take back: document, version or source.",
    ),
    "about": dg.Field(dg.String, description="Its id. A document goes with what is attached to it; a source is paused."),
    "reason": dg.Field(dg.String, description="Why, for auditors. Without personal data: whoever sees this run sees it."),
    "dry_run": DRY_RUN,
}
_WORDS = {
    "documents": "documents that readers lose",
    "versions": "versions that it is about, current or not",
    "answers": "answers that cited one of them",
    "people": "people who were given those answers",
    "shown": "requests that were handed a passage of one of them",
    "curated": "reviewed answers for everybody that are retired",
    "reviews": "decided questions that are opened again",
    "applications": "applications that are told by webhook",
}


def recall_of(form: Mapping[str, Any]) -> RecallRequest:
    """Raises InvalidInput under the names of the form's fields."""
    return RecallRequest(RecallKind(form["kind"]), form["about"], form["reason"])


@dg.op(config_schema=RECALL_FIELDS, out=dg.Out(dg.Nothing))
def take_back(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Show what a recall would reach; or make it, in one transaction. Who was shown what is told to auditors, not here."""
    form, recalls = context.op_config, workbench.catalog.recalls
    try:
        request = recall_of(form)
        source = recalls.source(request)
        context.instance.add_run_tags(context.run_id, {SOURCE_TAG: source})
        check_may_change(context, workbench, source)
        if form["dry_run"]:
            next_step = "Nothing was changed. Launch the same form with dry_run: false."
            context.add_output_metadata({"next step": next_step, "would reach": _table(recalls.plan(request))})
            return
        made = recalls.make(request, by=who(context))
        have_index_follow(workbench.ingestion)
        context.add_output_metadata({"recall": made.id, "reached": _table(made.counts)})
    except ArchivistError as error:
        raise dg.Failure(f"Nothing was recalled. {error}", allow_retries=False) from error


@dg.job(config=checked_config("take_back", RECALL_FIELDS, recall_of), executor_def=dg.in_process_executor)
def recall_document() -> None:
    """Take a document, a version or a whole source back from its readers. With dry_run: true it only shows what that would reach."""
    take_back()


def _table(counts: RecallCounts) -> dg.TableMetadataValue:
    return counts_table("what", {_WORDS[name]: count for name, count in asdict(counts).items()}, of="how many")
