"""The job that erases documents, sources and what is said of a person. Dry unless told otherwise, and then confirmed."""

import dagster as dg

from pipelines.assets.partitions import SOURCES_NAME
from pipelines.assets.previews import counts_table
from pipelines.jobs.version_forms import ERASE_FIELDS, checked_config, erasure_of
from pipelines.resources import Workbench
from pipelines.stages.index import have_index_follow
from pipelines.who import check_may_change, who
from retrieval.bootstrap import open_erasing
from retrieval.domain.erasure import ErasureKind
from retrieval.domain.errors import ArchivistError


@dg.op(config_schema=ERASE_FIELDS, out=dg.Out(dg.Nothing))
def erase_for_good(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Show what would go; or erase it everywhere and sign a report of it."""
    form = context.op_config
    try:
        request = erasure_of(form)
        erasing = open_erasing(workbench.settings, workbench.catalog, workbench.ingestion.blobs)
        plan = erasing.plan(request)
        for source in {*plan.documents, *([request.source] if request.source else [])}:
            check_may_change(context, workbench, source)
        shown = {"versions": plan.versions, "old versions of documents that stay": plan.old_versions}
        context.add_output_metadata({"documents": counts_table("source", plan.documents), **shown})
        if form["dry_run"]:
            return
        done = erasing.erase(request, by=who(context))
        have_index_follow(workbench.ingestion)
    except ArchivistError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    if request.kind is ErasureKind.SOURCE:
        context.instance.delete_dynamic_partition(SOURCES_NAME, request.source)
    context.add_output_metadata(
        {"removed": counts_table("what", done.report.removed, of="removed"), "report": dg.MetadataValue.path(done.file)}
    )


@dg.job(config=checked_config("erase_for_good", ERASE_FIELDS, erasure_of), executor_def=dg.in_process_executor)
def erase() -> None:
    """Erase a document, a source, or what is said of a person, for good. With dry_run: true it only shows what would go."""
    erase_for_good()
