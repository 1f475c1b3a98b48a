"""The jobs by which data owners register sources: one for each kind, with flat fields."""

import json
from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipelines.assets.partitions import SOURCE_TAG, SOURCES_NAME
from pipelines.assets.previews import counts_table
from pipelines.assets.source_registration import REGISTRATION_KEY
from pipelines.connectors.port import Probe
from pipelines.jobs.forms import form_config
from pipelines.jobs.registration import look_at
from pipelines.resources import Workbench
from pipelines.who import who
from retrieval.domain.errors import ArchivistError
from retrieval.domain.registration_fields import DRY_RUN
from retrieval.domain.source_kinds import KINDS, Kind
from retrieval.domain.sources import SourceSpec, spec_as_json, spec_from_json


@dg.op(config_schema={"source": dg.String, DRY_RUN.name: dg.Bool})
def write_registration(context: dg.OpExecutionContext, workbench: dg.ResourceParam[Workbench]) -> None:
    """Look at the source, write it into the registry and open its partition."""
    spec = spec_from_json(json.loads(context.op_config["source"]))
    dry_run = bool(context.op_config[DRY_RUN.name])
    try:
        probe = look_at(spec, workbench.settings)
        version = None if dry_run else workbench.catalog.sources.register(spec, by=who(context))
    except ArchivistError as error:
        raise dg.Failure(f"The source was NOT registered. {error}", allow_retries=False) from error
    context.log.info("%s: %d documents found, %d without a permission", spec.id, probe.files, probe.without_permission)
    if version is not None:
        context.instance.add_dynamic_partitions(SOURCES_NAME, [spec.id])
        context.instance.add_run_tags(context.run_id, {SOURCE_TAG: spec.id})
        context.log_event(dg.AssetMaterialization(REGISTRATION_KEY, partition=spec.id, metadata=_shown(spec, probe, version)))


def _registration_job(kind: Kind) -> dg.JobDefinition:
    @dg.job(
        name=f"register_{kind.name}_source",
        config=form_config(kind, write_registration.name),
        executor_def=dg.in_process_executor,
        description=f"Register or change a source. {kind.description} It is read within seconds after.",
        tags={"archivist/audience": "data owners"},
    )
    def register_source() -> None:
        write_registration()

    return register_source


def _shown(spec: SourceSpec, probe: Probe, version: int) -> Mapping[str, Any]:
    return {
        "version": version,
        "owner": spec.owner,
        "documents found": f"at least {probe.files}" if probe.has_more else str(probe.files),
        "documents without permission": probe.without_permission,
        "formats": counts_table("format", {extension or "none": count for extension, count in probe.formats.items()}),
        "registered": dg.MetadataValue.json(spec_as_json(spec)),
    }


REGISTRATION_JOBS = [_registration_job(kind) for kind in KINDS.values()]
