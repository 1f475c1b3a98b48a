"""One `.permissions.yaml`, parsed strictly: what is unknown, doubled or misspelt is a problem, never skipped.

```yaml
default: {allow: [group:engineering], deny: []}
files:
  "salary-*.xlsx": {allow: [group:hr], deny: [user:bob]}
```
`default` holds for the folder and all below it; `files` for names in the folder itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from pipelines.connectors.globs import Glob, glob_problem
from retrieval.adapters.strict_yaml import StrictLoader, load, place
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.permissions import AccessPolicy, check_subject

PERMISSIONS_FILE = ".permissions.yaml"
MISSPELT_PERMISSIONS_FILES = frozenset(
    {".permissions", ".permissions.yml", ".permissions.json", ".permissions.yaml.txt", ".permission.yaml"}
)
"""Lower-case names that somebody surely meant as a `.permissions.yaml`."""
MAX_PERMISSIONS_BYTES = 64 * 1024
_MAX_DEPTH = 6
"""Nested YAML values; the format needs four."""


@dataclass(frozen=True)
class FolderPermissions:
    """What one folder's file says. With a `problem`, nothing it says counts and the folder is closed.

    Attributes:
        where: the file's path below the source's root, for the data owner.
        files: in the file's order; the first that matches a name allows, every one that matches denies.
    """

    where: str
    default: AccessPolicy | None = None
    files: tuple[tuple[Glob, AccessPolicy], ...] = ()
    problem: str | None = None


def permissions_file_problem(name: str) -> str | None:
    """What is wrong with a file's name if it is nearly `.permissions.yaml`; None for it and for any other name."""
    folded = name.casefold()
    if name == PERMISSIONS_FILE or folded not in MISSPELT_PERMISSIONS_FILES | {PERMISSIONS_FILE}:
        return None
    return f"the file's name must be {PERMISSIONS_FILE}"


def parse_permissions(content: bytes, *, where: str) -> FolderPermissions:
    """The permissions in a file's bytes. Never raises: whatever is wrong is the result's `problem`, naming the fields."""
    if len(content) > MAX_PERMISSIONS_BYTES:
        return FolderPermissions(where, problem=f"larger than {MAX_PERMISSIONS_BYTES // 1024} KiB")
    try:
        return _folder_permissions(load(content, _PermissionsLoader), where)
    except InvalidInput as error:
        return FolderPermissions(where, problem=str(error))
    except yaml.YAMLError as error:
        return FolderPermissions(where, problem=f"not understood as YAML{place(error)}")


def _folder_permissions(raw: object, where: str) -> FolderPermissions:
    if not isinstance(raw, dict):
        raise InvalidInput.of("file", "must hold 'default', 'files' or both")
    problems = [FieldProblem(name, "unknown field", "default, files") for name in raw if name not in {"default", "files"}]
    named = raw.get("files", {})
    if not isinstance(named, dict):
        problems.append(FieldProblem("files", "a mapping of file name patterns"))
        named = {}
    for glob in named:
        problem = glob_problem(glob) or ("a name in this folder, without slashes" if "/" in glob else None)
        if problem:
            problems.append(FieldProblem(f"files '{glob}'", problem))
    entries = {f"files '{glob}'": entry for glob, entry in named.items()}
    if "default" in raw:
        entries["default"] = raw["default"]
    for field, entry in entries.items():
        problems.extend(_entry_problems(field, entry))
    if problems:
        raise InvalidInput(problems)
    default = _policy(raw["default"]) if "default" in raw else None
    return FolderPermissions(where, default, tuple((Glob(glob), _policy(entry)) for glob, entry in named.items()))


def _entry_problems(field: str, entry: object) -> Iterator[FieldProblem]:
    if not isinstance(entry, dict):
        yield FieldProblem(field, "a mapping with allow and deny")
        return
    for effect, subjects in entry.items():
        if effect not in {"allow", "deny"}:
            yield FieldProblem(f"{field}.{effect}", "unknown field", "allow, deny")
        elif not isinstance(subjects, list):
            yield FieldProblem(f"{field}.{effect}", "a list of subjects")
        else:
            for number, subject in enumerate(subjects, 1):
                yield from _subject_problems(f"{field}.{effect}[{number}]", subject)


def _subject_problems(field: str, subject: object) -> Iterator[FieldProblem]:
    try:
        check_subject(subject if isinstance(subject, str) else "", field=field)
    except InvalidInput as error:
        yield from error.problems


def _policy(entry: dict[str, list[str]]) -> AccessPolicy:
    return AccessPolicy.of(entry.get("allow", []), entry.get("deny", []))


class _PermissionsLoader(StrictLoader):
    max_depth = _MAX_DEPTH
