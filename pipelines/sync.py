"""Bring sources up to date now: `python -m pipelines.sync SOURCE...`. The runs show in the Dagster UI like any other."""

import argparse
import json
import os
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict

import dagster as dg

from pipelines.assets.partitions import SOURCE_TAG, SOURCES_NAME
from pipelines.console import console, error_lines, log_to_stderr
from pipelines.definitions import definitions_over
from pipelines.home import dagster_instance
from pipelines.processes import PARTITION_TAG, WORKING, end_dead_runs, worked_on_by
from pipelines.progress import shown_progress
from pipelines.resources import Workbench
from retrieval.domain.errors import ArchivistError, Conflict, InvalidInput
from retrieval.domain.ingestion import SUCCEEDED, RunProgress
from retrieval.domain.sources import SourceState
from retrieval.settings import Settings

POLL_SECONDS = 0.5
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""The ledger and the progress bar tell people what they need; Dagster's own log of a run is in its home."""


def main(arguments: Sequence[str] | None = None, *, workbench: Workbench | None = None) -> int:
    """Returns 0 when every source was brought up to date, else 1."""
    options = _parser().parse_args(arguments)
    bench = workbench or Workbench(Settings())
    log_to_stderr()
    try:
        with dagster_instance(bench.settings) as instance:
            ended = [_synced(source, bench, instance) for source in _known(options.sources, bench)]
    except ArchivistError as error:
        for line in error_lines(error):
            console().print(line, style="red", markup=False, soft_wrap=True)
        return 1
    finally:
        bench.close()
    _print(ended, as_json=options.json)
    return 0 if all(run.outcome == SUCCEEDED for run in ended) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines.sync", description=__doc__)
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="ids of sources; none: every active source")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _known(wanted: Sequence[str], bench: Workbench) -> list[str]:
    """The sources to run, each once. Raises InvalidInput or Conflict for one that cannot be run."""
    if not wanted:
        return [source.spec.id for source in bench.catalog.sources.list() if source.state is SourceState.ACTIVE]
    for id_ in wanted:
        try:
            state = bench.catalog.sources.get(id_).state
        except InvalidInput as error:
            raise InvalidInput.of(id_, "there is no such source") from error
        if state is not SourceState.ACTIVE:
            raise Conflict(f"{id_}: the source is {state}: only active sources are run")
    return list(dict.fromkeys(wanted))


def _synced(source: str, bench: Workbench, instance: dg.DagsterInstance) -> RunProgress:
    """Run the whole chain on one source in this process, after whoever is at work on it."""
    with shown_progress(source, bench.catalog.runs, console()):
        _wait_for_others(source, instance)
        instance.add_dynamic_partitions(SOURCES_NAME, [source])
        job = definitions_over(bench).resolve_job_def("ingest_source")
        run_id = str(uuid.uuid4())
        # The run names its process from the first moment: killed before its first step, it must not be waited for.
        tags = {SOURCE_TAG: source, "dagster/max_retries": "0", **worked_on_by(run_id, os.getpid())}
        result = job.execute_in_process(_QUIET, instance, source, raise_on_error=False, tags=tags, run_id=run_id)
    for run in bench.catalog.runs.runs(source):
        if run.id == result.run_id:
            return run
    raise Conflict(f"{source}: the run did not begin; see run {result.run_id} in Dagster")


def _wait_for_others(source: str, instance: dg.DagsterInstance) -> None:
    """Wait while another living process works on the source; a second run would only take it out of its hands."""
    at_work = dg.RunsFilter(statuses=WORKING, tags={PARTITION_TAG: source})
    end_dead_runs(instance)
    while instance.get_runs(filters=at_work, limit=1):
        time.sleep(POLL_SECONDS)
        end_dead_runs(instance)


def _print(ended: Sequence[RunProgress], *, as_json: bool) -> None:
    if as_json:
        json.dump([asdict(run) for run in ended], sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    for run in ended:
        shown = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in run.counts.items() if count)
        problem = f": {run.problem}" if run.problem else ""
        sys.stdout.write(f"{run.source}: {run.outcome}{problem}{' - ' + shown if shown else ''}\n")


if __name__ == "__main__":
    sys.exit(main())
