"""The jobs by which data owners go back to earlier versions, and let go of what was held back. Dry unless told otherwise."""

import dagster as dg

from pipelines.assets.partitions import SOURCE_TAG
from pipelines.assets.previews import table
from pipelines.jobs.version_forms import RELEASE_FIELDS, ROLLBACK_FIELDS, checked_config, rollback_of
from pipelines.resources import Workbench
from pipelines.stages.after_rollback import go_back
from pipelines.who import check_may_change, who
from retrieval.domain.errors import ArchivistError
from retrieval.domain.versions import RollbackPlan


@dg.op(config_schema=ROLLBACK_FIELDS, out=dg.Out(dg.Nothing))
def roll_back(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Show what would go back; or have it go back, in one transaction, and the graph and an index on a server after it."""
    form = context.op_config
    context.instance.add_run_tags(context.run_id, {SOURCE_TAG: form["source"]})
    try:
        check_may_change(context, workbench, form["source"])
        request = rollback_of(form)
        if form["dry_run"]:
            plan = workbench.catalog.rollback.plan(request, model=workbench.ingestion.embedder.model)
            context.add_output_metadata({"next step": "Nothing was changed. Launch the same form with dry_run: false.", **_shown(plan)})
        else:
            done = go_back(workbench.ingestion, request, by=who(context), without_refused=form["without_refused"])
            context.add_output_metadata({"revision": done.revision, **_shown(done.plan)})
    except ArchivistError as error:
        raise dg.Failure(f"Nothing went back. {error}", allow_retries=False) from error


@dg.op(config_schema=RELEASE_FIELDS, out=dg.Out(dg.Nothing))
def release_held(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Show what rollbacks hold back; or let the next run follow the source again."""
    form = context.op_config
    try:
        check_may_change(context, workbench, form["source"])
        held = [each for each in workbench.catalog.rollback.held(form["source"]) if form["document"] in ("", each.document)]
        rows = [(each.key, "its absence" if each.is_absent else "its content", each.held_at, each.held_by) for each in held]
        shown = {"held": len(held), "documents": table(("document", "what is held back", "since", "by"), rows)}
        if not form["dry_run"]:
            shown["released"] = workbench.catalog.rollback.release(form["source"], document=form["document"] or None, by=who(context))
        context.add_output_metadata(shown)
    except ArchivistError as error:
        raise dg.Failure(f"Nothing was released. {error}", allow_retries=False) from error


@dg.job(config=checked_config("roll_back", ROLLBACK_FIELDS, rollback_of), executor_def=dg.in_process_executor)
def rollback() -> None:
    """Go back to what a source, a document or a run published before. With dry_run: true it only shows what would change."""
    roll_back()


@dg.job(config=checked_config("release_held", RELEASE_FIELDS, lambda _form: None), executor_def=dg.in_process_executor)
def release() -> None:
    """Let the next run follow a source again where a rollback holds something back."""
    release_held()


def _shown(plan: RollbackPlan) -> dict[str, object]:
    rows = [
        (change.key, change.kind.value, change.from_number or "none", change.to_number or "none", change.refused or "")
        for change in (*plan.refused, *plan.without_refused().changes)
    ]
    rows_in_words = [tuple(map(str, row)) for row in rows]
    return {
        **plan.counts,
        "withdrawn since, not asked back": plan.left_withdrawn,
        "documents": table(("document", "becomes", "version now", "version then", "why not"), rows_in_words),
    }


ROLLBACK_JOBS = [rollback, release]
