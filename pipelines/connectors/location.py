"""What every connector's `location` is read with. Nothing is reached here, so a person learns of a mistake while registering."""

from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

from pipelines.connectors.globs import Glob, glob_problem
from pipelines.connectors.selection import Selection
from retrieval.domain.errors import FieldProblem
from retrieval.domain.source_kinds import Kind, Option
from retrieval.domain.sources import SourceSpec


def option_problems(spec: SourceSpec, kind: Kind) -> Iterator[FieldProblem]:
    """What the options themselves tell: unknown and missing ones, lists where one value stands, values outside the choices, wrong globs."""
    known = {option.name: option for option in kind.options}
    for name in sorted(set(spec.location) - set(known)):
        yield FieldProblem(f"location.{name}", "unknown option", "one of " + ", ".join(known))
    for option in kind.options:
        yield from _option_problems(values(spec, kind, option.name), option)


def values(spec: SourceSpec, kind: Kind, name: str) -> Sequence[str]:
    """An option's values; its default when it is not given or empty."""
    given = spec.location.get(name, ())
    stripped = [value.strip() for value in ([given] if isinstance(given, str) else given)]
    default = next((option.default for option in kind.options if option.name == name), "")
    return [value for value in stripped if value] or ([default] if default else [])


def value(spec: SourceSpec, kind: Kind, name: str) -> str:
    """An option's only value; empty when it has none."""
    return next(iter(values(spec, kind, name)), "")


def selection(spec: SourceSpec, kind: Kind) -> Selection:
    """What the options `include` and `exclude` take."""
    return Selection(tuple(map(Glob, values(spec, kind, "include"))), tuple(map(Glob, values(spec, kind, "exclude"))))


def local_root(root: str) -> str | None:
    """The path of a root on this machine; None for a root in a store."""
    if "://" not in root:
        return root
    url = urlsplit(root)
    return unquote(url.path, errors="surrogateescape") if url.scheme == "file" and url.netloc in {"", "localhost"} else None


def local_path_problem(path: str) -> str | None:
    """What is wrong with a path of this machine that a source names; None for a good one."""
    if "\0" in path:
        return "a path has no NUL character"
    if not path.startswith("/"):
        return "an absolute path, such as /srv/documents, or a URL"
    if ".." in path.split("/"):
        return "a path without '..'"
    if not path.strip("/"):
        return "a folder of documents, not the whole machine"
    return None


def _option_problems(given: Sequence[str], option: Option) -> Iterator[FieldProblem]:
    field = f"location.{option.name}"
    if option.required and not given:
        yield FieldProblem(field, "is required")
    if not option.takes_many and len(given) > 1:
        yield FieldProblem(field, "one value, not a list")
    if option.choices and not set(given) <= set(option.choices):
        yield FieldProblem(field, "not one of the choices", "one of " + ", ".join(option.choices))
    if option.name in {"include", "exclude"}:
        for number, glob in enumerate(given, 1):
            if problem := glob_problem(glob):
                yield FieldProblem(f"{field}[{number}]", problem)
