"""Typed values out of JSON such as a YAML file holds. What is wrong goes to a list, so that every problem is named at once."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.permissions import check_subject

Choice = TypeVar("Choice", bound=StrEnum)
Plain = TypeVar("Plain", bool, str)


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


def unknown_fields(raw: Mapping[str, object], known: frozenset[str], problems: list[FieldProblem], *, within: str = "") -> None:
    """Names every field of `raw` that is not `known`."""
    limit = "one of " + ", ".join(sorted(known))
    problems += [FieldProblem(within + name, "unknown field", limit) for name in sorted(set(map(str, raw)) - known)]
