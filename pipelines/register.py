"""Register sources from YAML files: `python -m pipelines.register FILE.yaml...`. A file holds one source, or a list of them."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipelines.connectors.location import local_root
from pipelines.connectors.port import Probe
from pipelines.console import console, error_lines, log_to_stderr
from pipelines.jobs.registration import checked_spec, look_at
from retrieval.bootstrap import open_catalog
from retrieval.domain.errors import ArchivistError, InvalidInput
from retrieval.domain.permissions import check_subject
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

MAX_FILE_BYTES = 5_000_000


@dataclass(frozen=True)
class _Entry:
    """One source in a file, as it is written there."""

    where: str
    raw: Mapping[str, object]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check every source and look at it before any is registered. Returns 0, or 1 when something is wrong."""
    options = _parser().parse_args(arguments)
    settings = Settings()
    log_to_stderr()
    try:
        check_subject(options.by, field="--by")
        specs = _checked([entry for file in options.files for entry in _entries(file)], settings)
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


def _entries(file: Path) -> Iterator[_Entry]:
    """The sources of one file; a relative root counts from the file's folder."""
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise InvalidInput.of(str(file), "the file is too large", limit=f"{MAX_FILE_BYTES} bytes")
        content = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.of(str(file), f"cannot be read ({type(error).__name__})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InvalidInput.of(str(file), "is not YAML" + (f", see line {mark.line + 1}" if mark else "")) from error
    found = content if isinstance(content, list) else [content]
    for number, raw in enumerate(found, 1):
        where = f"{file}[{number}]" if isinstance(content, list) else str(file)
        if not isinstance(raw, Mapping):
            raise InvalidInput.of(where, "a source is a mapping with id, kind, title, owner and location")
        yield _Entry(where, _with_absolute_root(raw, file.absolute().parent))


def _with_absolute_root(raw: Mapping[str, object], folder: Path) -> Mapping[str, object]:
    location = raw.get("location")
    root = location.get("root") if isinstance(location, Mapping) else None
    if not isinstance(location, Mapping) or not isinstance(root, str) or not root or local_root(root) != root or root.startswith("/"):
        return raw
    return {**raw, "location": {**location, "root": str((folder / root).resolve())}}


def _checked(entries: Sequence[_Entry], settings: Settings) -> list[SourceSpec]:
    specs, problems = [], []
    for entry in entries:
        try:
            specs.append(checked_spec(entry.raw, settings))
        except InvalidInput as error:
            problems += [type(problem)(f"{entry.where}: {problem.field}", problem.problem, problem.limit) for problem in error.problems]
    if problems:
        raise InvalidInput(problems)
    return specs


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
