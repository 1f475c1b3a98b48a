"""Bring the registered sources to what a folder of YAML files says: `python -m pipelines.apply DIR`. Nothing is done unless all is well."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipelines.console import console, error_lines, log_to_stderr
from pipelines.jobs.inspecting import inspect_source
from pipelines.jobs.inspecting_report import SourceReport
from pipelines.jobs.registration import Plan, look_at, planned, register
from pipelines.jobs.retiring import retired
from pipelines.resources import Workbench
from pipelines.source_files import files_below, sources_in
from retrieval.domain.errors import ArchivistError, Conflict, FieldProblem, InvalidInput
from retrieval.domain.permissions import Principal, check_subject
from retrieval.domain.sources import SourceSpec, SourceState
from retrieval.settings import Settings

RETIRED, GONE = "retired", "gone from the folder, and registered still"


@dataclass(frozen=True)
class Applied:
    """What became of one source, or would in a dry run. `plan`: None for one that is not in the folder any more."""

    source: str
    outcome: str
    plan: Plan | None = None
    report: SourceReport | None = None


def main(arguments: Sequence[str] | None = None, *, workbench: Workbench | None = None) -> int:
    """Returns 0, or 1 when something is wrong: then nothing was done."""
    options = _parser().parse_args(arguments)
    bench = workbench or Workbench(Settings())
    log_to_stderr()
    try:
        check_subject(options.by, field="--by")
        if options.prune and not options.manifest:
            raise InvalidInput.of("--prune", "needs --manifest: only what the folder brought is taken away with it")
        applied = list(_applied(bench, options))
    except ArchivistError as error:
        for line in error_lines(error):
            console().print(line, style="red", markup=False, soft_wrap=True)
        return 1
    finally:
        bench.close()
    _print(applied, as_json=options.json, dry_run=options.dry_run)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines.apply", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="every YAML file below it is read")
    parser.add_argument("--by", default="app:cli", metavar="SUBJECT", help="who applies it, e.g. user:dana (default: app:cli)")
    parser.add_argument("--manifest", default="", metavar="NAME", help="name of the folder, by which its sources are known as its own")
    parser.add_argument("--prune", action="store_true", help="retire sources of this manifest that the folder does not hold any more")
    parser.add_argument("--dry-run", action="store_true", help="look at every source and show what would happen, change nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _applied(bench: Workbench, options: argparse.Namespace) -> Iterator[Applied]:
    specs = [replace(spec, manifest=options.manifest) for spec in sources_in(files_below(options.folder), bench.settings)]
    plans = _plans(bench, specs)
    gone = _gone(bench, specs, options.manifest)
    if options.dry_run:
        asked_by = Principal.of_subject(options.by)
        for spec, plan in zip(specs, plans, strict=True):
            report = inspect_source(spec, bench.ingestion, asked_by=asked_by)
            yield Applied(spec.id, plan.outcome, plan, report)
    else:
        for spec in specs:
            look_at(spec, bench.settings)
        for spec in specs:
            plan = register(bench.catalog.sources, spec, by=options.by)
            yield Applied(spec.id, plan.outcome, plan)
    for source in gone:
        if options.prune and not options.dry_run:
            retired(bench, source, by=options.by)
        yield Applied(source, RETIRED if options.prune else GONE)


def _plans(bench: Workbench, specs: Sequence[SourceSpec]) -> list[Plan]:
    """Raises InvalidInput: names every source that cannot be registered."""
    plans, problems = [], []
    for spec in specs:
        try:
            plans.append(planned(bench.catalog.sources, spec))
        except Conflict as conflict:
            problems.append(FieldProblem(spec.id, str(conflict)))
    if problems:
        raise InvalidInput(problems)
    return plans


def _gone(bench: Workbench, specs: Sequence[SourceSpec], manifest: str) -> list[str]:
    there = {spec.id for spec in specs}
    kept = (source for source in bench.catalog.sources.list() if source.state is not SourceState.RETIRED)
    return [source.spec.id for source in kept if manifest and source.spec.manifest == manifest and source.spec.id not in there]


def _print(applied: Sequence[Applied], *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        json.dump([_as_json(each) for each in applied], sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    for each in applied:
        said = each.plan.in_words if each.plan else each.outcome
        sys.stdout.write(f"{each.source}: {'would be ' if dry_run and each.outcome != GONE else ''}{said}\n")
        for what, found in each.report.details() if each.report else ():
            sys.stdout.write(f"  {what}: {found}\n")


def _as_json(applied: Applied) -> dict[str, object]:
    plan = {} if applied.plan is None else asdict(applied.plan)
    return {"id": applied.source, **plan, "outcome": applied.outcome, "report": applied.report and applied.report.as_json()}


if __name__ == "__main__":
    sys.exit(main())
