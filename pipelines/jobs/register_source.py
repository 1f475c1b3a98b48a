"""The jobs by which data owners register sources: one for each kind, with flat fields. Dry unless told otherwise."""

import json
from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipelines.assets.partitions import SOURCE_TAG, SOURCES_NAME
from pipelines.assets.previews import counts_table
from pipelines.assets.source_registration import REGISTRATION_KEY
from pipelines.connectors.port import Probe
from pipelines.jobs.forms import form_config
from pipelines.jobs.inspecting import inspect_source
from pipelines.jobs.inspecting_tables import report_metadata
from pipelines.jobs.registration import Plan, look_at, planned, register
from pipelines.resources import Workbench
from pipelines.who import check_may_change, person, who
from retrieval.domain.errors import ArchivistError
from retrieval.domain.launchpad import registration_job
from retrieval.domain.registration_fields import DRY_RUN
from retrieval.domain.source_kinds import KINDS, Kind
from retrieval.domain.sources import SourceSpec, spec_as_json, spec_from_json

NEXT_STEP = "Nothing was registered. To register it, launch the same form again with dry_run: false."


@dg.op(config_schema={"source": dg.String, DRY_RUN.name: dg.Bool}, out=dg.Out(dg.Nothing))
def write_registration(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Look at the source and show what would happen; or write it into the registry and open its partition."""
    spec = spec_from_json(json.loads(context.op_config["source"]))
    context.instance.add_run_tags(context.run_id, {SOURCE_TAG: spec.id})
    try:
        check_may_change(context, workbench, spec.id, spec.owner)
        if context.op_config[DRY_RUN.name]:
            _show(context, workbench, spec)
        else:
            _register(context, workbench, spec)
    except ArchivistError as error:
        raise dg.Failure(f"The source was NOT registered. {error}", allow_retries=False) from error


def _show(context: dg.OpExecutionContext, workbench: Workbench, spec: SourceSpec) -> None:
    plan = planned(workbench.catalog.sources, spec)
    report = inspect_source(spec, workbench.ingestion, asked_by=person(context))
    shown = {"would be": plan.in_words, "next step": NEXT_STEP, **report_metadata(report)}
    context.add_output_metadata(shown)
    context.log.info(
        "%s would be %s: %s", spec.id, plan.in_words, "; ".join(f"{what}: {found}" for what, found in report.summary().items())
    )


def _register(context: dg.OpExecutionContext, workbench: Workbench, spec: SourceSpec) -> None:
    probe = look_at(spec, workbench.settings)
    plan = register(workbench.catalog.sources, spec, by=who(context))
    context.instance.add_dynamic_partitions(SOURCES_NAME, [spec.id])
    context.log_event(dg.AssetMaterialization(REGISTRATION_KEY, partition=spec.id, metadata=_shown(spec, probe, plan)))
    context.log.info("%s: %s", spec.id, plan.in_words)


def _registration_job(kind: Kind) -> dg.JobDefinition:
    @dg.job(
        name=registration_job(kind),
        config=form_config(kind, write_registration.name),
        executor_def=dg.in_process_executor,
        description=f"Register or change a source. {kind.description} With dry_run: true, as it is unless you say otherwise, "
        "it shows what would happen; with dry_run: false the source is read within seconds after.",
        tags={"archivist/audience": "data owners"},
    )
    def register_source() -> None:
        write_registration()

    return register_source


def _shown(spec: SourceSpec, probe: Probe, plan: Plan) -> Mapping[str, Any]:
    return {
        "registered as": plan.in_words,
        "version": plan.version,
        "owner": spec.owner,
        "documents found": f"at least {probe.files}" if probe.has_more else str(probe.files),
        "documents without permission": probe.without_permission,
        "formats": counts_table("format", {extension or "none": count for extension, count in probe.formats.items()}),
        "registered": dg.MetadataValue.json(spec_as_json(spec)),
    }


REGISTRATION_JOBS = [_registration_job(kind) for kind in KINDS.values()]
