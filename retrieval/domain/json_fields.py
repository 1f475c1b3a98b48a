"""Typed values out of JSON such as a YAML file holds. What is wrong goes to a list, so that every problem is named at once."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.permissions import check_subject

Choice = TypeVar("Choice", bound=StrEnum)
Plain = TypeVar("Plain", bool, str)

MAX_LISTED = 100
MAX_CHARACTERS = 200


def one_of(kind: type[Choice], field: str, value: object, default: Choice, problems: list[FieldProblem]) -> Choice:
    """The member of `kind` that `value` names; `default` where it names none."""
    try:
        return kind(str(value))
    except ValueError:
        name = field.rpartition(".")[2].replace("_", " ")
        problems.append(FieldProblem(field, f"not a {name}", "one of " + ", ".join(each.value for each in kind)))
        return default


def whole_number(field: str, value: object, unit: str, problems: list[FieldProblem]) -> int:
    """`value` itself, if it is a whole number; else 0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    problems.append(FieldProblem(field, "must be a whole number", unit))
    return 0


def number(field: str, value: object, unit: str, problems: list[FieldProblem]) -> float | None:
    """`value` itself, if it is a number; else None, as for None."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    problems.append(FieldProblem(field, "must be a number", unit))
    return None


def typed(kind: type[Plain], field: str, value: object, default: Plain, problems: list[FieldProblem]) -> Plain:
    """`value` itself, if it is of that kind; else the default, as for None."""
    if value is None or isinstance(value, kind):
        return default if value is None else value
    problems.append(FieldProblem(field, "must be true or false" if kind is bool else "must be text"))
    return default


def subjects(field: str, value: object, problems: list[FieldProblem]) -> list[str]:
    """Those of the listed subjects that are written as subjects are; nothing for None."""
    if not isinstance(value or [], list):
        problems.append(FieldProblem(field, "a list of subjects"))
        return []
    good = []
    for subject in value if isinstance(value, list) else []:
        try:
            good.append(check_subject(str(subject), field=field))
        except InvalidInput as error:
            problems.extend(error.problems)
    return good


def texts(field: str, value: object, problems: list[FieldProblem]) -> tuple[str, ...]:
    """The listed texts; none for None."""
    listed = list(value) if isinstance(value, list | tuple) else []
    if (value is None or isinstance(value, list | tuple)) and len(listed) <= MAX_LISTED and all(map(_is_short, listed)):
        return tuple(map(str, listed))
    problems.append(FieldProblem(field, "a list of short texts", f"{MAX_LISTED} texts of 1 to {MAX_CHARACTERS} characters"))
    return ()


def numbers(field: str, value: object, unit: str, problems: list[FieldProblem]) -> dict[str, float]:
    """A number for each name; none for None."""
    named = dict(value) if isinstance(value, Mapping) else {}
    if (value is not None and not isinstance(value, Mapping)) or len(named) > MAX_LISTED or not all(map(_is_short, named)):
        problems.append(FieldProblem(field, f"a mapping of names to numbers ({unit})", f"{MAX_LISTED} names"))
        return {}
    read = {name: number(f"{field}.{name}", share, unit, problems) for name, share in named.items()}
    return {name: share for name, share in read.items() if share is not None}


def _is_short(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= MAX_CHARACTERS


def unknown_fields(raw: Mapping[str, object], known: frozenset[str], problems: list[FieldProblem], *, within: str = "") -> None:
    """Names every field of `raw` that is not `known`."""
    limit = "one of " + ", ".join(sorted(known))
    problems += [FieldProblem(within + name, "unknown field", limit) for name in sorted(set(map(str, raw)) - known)]
