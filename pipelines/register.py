"""Register sources from YAML files: `python -m pipelines.register FILE.yaml...`. A file holds one source, or a list of them."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.connectors.port import Probe
from pipelines.console import console, error_lines, log_to_stderr
from pipelines.jobs.registration import look_at
from pipelines.source_files import sources_in
from retrieval.bootstrap import open_catalog
from retrieval.domain.errors import ArchivistError
from retrieval.domain.permissions import check_subject
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Check every source and look at it before any is registered. Returns 0, or 1 when something is wrong."""
    options = _parser().parse_args(arguments)
    settings = Settings()
    log_to_stderr()
    try:
        check_subject(options.by, field="--by")
        specs = sources_in(options.files, settings)
        seen = [look_at(spec, settings) for spec in specs]
        versions = [None] * len(specs) if options.check else _registered(specs, settings, by=options.by)
    except ArchivistError as error:
        for line in error_lines(error):
            console().print(line, style="red", markup=False, soft_wrap=True)
        return 1
    _print(specs, seen, versions, as_json=options.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines.register", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.yaml", help="one source, or a list of them")
    parser.add_argument("--by", default="app:cli", metavar="SUBJECT", help="who registers, e.g. user:dana (default: app:cli)")
    parser.add_argument("--check", action="store_true", help="check and look at the sources, register nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _registered(specs: Sequence[SourceSpec], settings: Settings, *, by: str) -> list[int]:
    catalog = open_catalog(settings)
    try:
        return [catalog.sources.register(spec, by=by) for spec in specs]
    finally:
        catalog.close()


def _print(specs: Sequence[SourceSpec], seen: Sequence[Probe], versions: Sequence[int | None], *, as_json: bool) -> None:
    found = list(zip(specs, seen, versions, strict=True))
    if as_json:
        json.dump([_as_json(spec, probe, version) for spec, probe, version in found], sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    for spec, probe, version in found:
        state = "checked, not registered" if version is None else f"registered, version {version}"
        count = f"at least {probe.files}" if probe.has_more else str(probe.files)
        sys.stdout.write(f"{spec.id}: {state}; {count} documents, {probe.without_permission} that nobody may read\n")


def _as_json(spec: SourceSpec, probe: Probe, version: int | None) -> dict[str, object]:
    return {
        "id": spec.id,
        "version": version,
        "documents": probe.files,
        "has_more": probe.has_more,
        "without_permission": probe.without_permission,
        "formats": dict(probe.formats),
    }


if __name__ == "__main__":
    sys.exit(main())
