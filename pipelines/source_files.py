"""Sources in YAML files: one in a file, or a list of them, as people keep them in git."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from pipelines.connectors.location import local_root
from pipelines.jobs.registration import checked_spec
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

MAX_FILE_BYTES = 5_000_000
ENDINGS = frozenset({".yaml", ".yml"})


@dataclass(frozen=True)
class _Entry:
    """One source in a file, as it is written there."""

    where: str
    raw: Mapping[str, object]


def files_below(folder: Path) -> list[Path]:
    """Every YAML file below a folder, in order; hidden files and folders are left out. Raises InvalidInput when there is none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix in ENDINGS and path.is_file() and not _is_hidden(path, folder))
    if not found:
        raise InvalidInput.of(str(folder), "holds no YAML file", limit=", ".join(sorted(ENDINGS)))
    return found


def sources_in(files: Iterable[Path], settings: Settings) -> list[SourceSpec]:
    """The sources of all files, in order, each checked. A relative root counts from its file's folder.

    Raises:
        InvalidInput: names everything that is wrong with any of them and where it stands; also an id that stands twice.
    """
    specs: list[SourceSpec] = []
    problems: list[FieldProblem] = []
    seen: dict[str, str] = {}
    for entry in _read(files, problems):
        try:
            spec = checked_spec(entry.raw, settings)
        except InvalidInput as error:
            problems += [replace(problem, field=f"{entry.where}: {problem.field}") for problem in error.problems]
            continue
        if spec.id in seen:
            problems.append(FieldProblem(f"{entry.where}: id", f"stands in {seen[spec.id]} already"))
        seen[spec.id] = entry.where
        specs.append(spec)
    if problems:
        raise InvalidInput(problems)
    return specs


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _read(files: Iterable[Path], problems: list[FieldProblem]) -> Iterator[_Entry]:
    """What stands in the files that can be read; why others cannot goes to `problems`."""
    for file in files:
        try:
            yield from _entries(file)
        except InvalidInput as error:
            problems += error.problems


def _entries(file: Path) -> Iterator[_Entry]:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise InvalidInput.of(str(file), "the file is too large", limit=f"{MAX_FILE_BYTES} bytes")
        content = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.of(str(file), f"cannot be read ({type(error).__name__})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InvalidInput.of(str(file), "is not YAML" + (f", see line {mark.line + 1}" if mark else "")) from error
    found: Sequence[object] = content if isinstance(content, list) else [content]
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
