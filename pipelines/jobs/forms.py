"""What a data owner fills in, in Dagster's launchpad, and the check that refuses before a run exists.

Fields are plain strings on purpose: Dagster's own `Config` takes `{env: NAME}` for any string and would print the worker's environment.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import dagster as dg

from pipelines.jobs.registration import checked_spec
from retrieval.domain.errors import ArchivistError, FieldProblem, InvalidInput
from retrieval.domain.form_fields import FieldType, FormField
from retrieval.domain.registration_fields import DRY_RUN
from retrieval.domain.registration_form import field_of_problem, fields_of, source_of_form
from retrieval.domain.source_kinds import Kind
from retrieval.settings import Settings

_TYPES: Mapping[FieldType, Any] = {
    FieldType.TEXT: dg.String,
    FieldType.LIST: dg.String,
    FieldType.WHOLE_NUMBER: dg.Int,
    FieldType.NUMBER: dg.Float,
    FieldType.SWITCH: dg.Bool,
}
"""Of a list: each entry's."""


class RegistrationRefused(ArchivistError):
    """What is wrong with a form, a line for each field. Holds no value that was typed in."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"Nothing was done. Please correct:\n{lines}")


def form_schema(kind: Kind) -> dict[str, dg.Field]:
    """The fields of a kind's form, as Dagster's launchpad shows and checks them."""
    return {field.name: launchpad_field(field) for field in fields_of(kind)}


def launchpad_field(field: FormField) -> dg.Field:
    """One field. Its choices stand in the description too: the launchpad does not list them."""
    type_ = _choice(field.name, field.choices) if field.choices else _TYPES[field.type]
    if field.type is FieldType.LIST:
        type_ = dg.Array(type_)
    if field.required or field.default is None:
        return dg.Field(type_, description=field.explained, is_required=field.required)
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return dg.Field(type_, description=field.explained, is_required=False, default_value=default)


def form_config(kind: Kind, op: str) -> dg.ConfigMapping:
    """From a filled-in form to the configuration of the op that registers, or a refusal."""

    def mapping(form: Mapping[str, Any]) -> dict[str, object]:
        source = json.dumps(checked_source(kind, form))
        return {"ops": {op: {"config": {"source": source, DRY_RUN.name: form[DRY_RUN.name]}}}}

    return dg.ConfigMapping(config_fn=mapping, config_schema=form_schema(kind))


def checked_source(kind: Kind, form: Mapping[str, Any]) -> dict[str, object]:
    """The form as `spec_from_json` reads it.

    Raises:
        RegistrationRefused: names every wrong field.
    """
    raw, unreadable = source_of_form(kind, form)
    problems = [*unreadable, *map(field_of_problem, _problems(lambda: checked_spec(raw, Settings())))]
    if problems:
        raise RegistrationRefused(tuple(problems))
    return raw


def _problems(check: Callable[[], object]) -> tuple[FieldProblem, ...]:
    try:
        check()
    except InvalidInput as error:
        return error.problems
    return ()


@cache
def _choice(name: str, choices: tuple[str, ...]) -> dg.Enum:
    """One type for a field, whichever forms it is in."""
    return dg.Enum("".join(map(str.capitalize, name.split("_"))), [dg.EnumValue(choice) for choice in choices])
