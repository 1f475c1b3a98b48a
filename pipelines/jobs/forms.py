"""What a data owner fills in, in Dagster's launchpad, and the check that refuses before a run exists.

Fields are plain strings on purpose: Dagster's own `Config` takes `{env: NAME}` for any string and would print the worker's environment.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from pipelines.jobs.registration import checked_spec
from pipelines.jobs.rules import rules_as_json
from retrieval.domain.answer_policy import OnUnsupported, RiskTier
from retrieval.domain.errors import ArchivistError, FieldProblem, InvalidInput
from retrieval.domain.source_kinds import Kind, Option
from retrieval.domain.sources import Classification, StalePermissions
from retrieval.settings import Settings

_CLASSIFICATION = dg.Enum("Classification", [dg.EnumValue(each.value) for each in Classification])
_STALE = dg.Enum("StalePermissions", [dg.EnumValue(each.value) for each in StalePermissions])
_TIER = dg.Enum("RiskTier", [dg.EnumValue(each.value) for each in RiskTier])
_UNSUPPORTED = dg.Enum("OnUnsupported", [dg.EnumValue(each.value) for each in OnUnsupported])
_ANSWERS = {
    "risk_tier": dg.Field(_TIER, is_required=False, description="How bad a wrong answer is: " + ", ".join(RiskTier) + "."),
    "accepted_error": dg.Field(
        dg.Float,
        is_required=False,
        description="Share of given answers that may be wrong, at most .5, e.g. 0.05; unsaid: as the tier says.",
    ),
    "reviewers": dg.Field(
        dg.Array(dg.String),
        is_required=False,
        description="Who looks at what the service is unsure of, e.g. 'group:finance'; none: the owner.",
    ),
    "skill": dg.Field(dg.String, is_required=False, description="What a reviewer must know, in your own word, e.g. 'tax'."),
    "review_hours": dg.Field(dg.Int, is_required=False, description="Hours within which a person should decide; 0: the service's default."),
    "max_age_days": dg.Field(dg.Int, is_required=False, description="Days after which a document is too old to rely on; 0: never."),
    "access_requests": dg.Field(
        dg.Bool, is_required=False, description="Whether you are told when somebody would need to read the source."
    ),
    "on_unsupported": dg.Field(
        _UNSUPPORTED, is_required=False, description="What becomes of a sentence that nothing supports: " + ", ".join(OnUnsupported) + "."
    ),
    "authority": dg.Field(
        dg.Int, is_required=False, description="0 to 100: of two sources that contradict each other the one with more is named first."
    ),
}
_COMMON = {
    "id": dg.Field(dg.String, description="Name of the source in addresses: lower-case letters, digits and hyphens, 2 to 63."),
    "title": dg.Field(dg.String, description="Name that people recognise, e.g. 'Finance handbook'."),
    "owner": dg.Field(dg.String, description="Who answers for it: 'user:dana' or 'group:finance'."),
    "classification": dg.Field(
        _CLASSIFICATION,
        is_required=False,
        default_value=Classification.INTERNAL.value,
        description="One of " + ", ".join(each.value for each in Classification) + ".",
    ),
    "region": dg.Field(
        dg.String,
        is_required=False,
        default_value="",
        description="Where its documents may be read, e.g. 'eu': only by those whose regions name it; empty: anywhere.",
    ),
    "max_permission_age_hours": dg.Field(
        dg.Int,
        is_required=False,
        default_value=0,
        description="Hours after which the permissions that were last read are not believed any more; 0: the service's default.",
    ),
    "stale_permissions": dg.Field(
        _STALE,
        is_required=False,
        default_value=StalePermissions.WITHHOLD.value,
        description="What happens then: 'withhold' hides the documents from everybody, 'warn' marks the answers.",
    ),
    "schedule": dg.Field(
        dg.String, is_required=False, default_value="", description="Five fields of cron in UTC, e.g. '0 3 * * *'; empty: on demand only."
    ),
    "rules": dg.Field(
        dg.Array(dg.String),
        is_required=False,
        default_value=[],
        description="Who may read what, one rule a line: 'finance/**: allow group:finance, user:ann; deny user:bob'. "
        "The first matching rule says who is allowed; every matching rule says who is denied. No rule, no .permissions.yaml: nobody reads.",
    ),
    "answers": dg.Field(
        _ANSWERS, is_required=False, default_value={}, description="What holds for answers that stand on it; all of it optional."
    ),
    "check_only": dg.Field(dg.Bool, is_required=False, default_value=False, description="Check and look at the source, register nothing."),
}


class RegistrationRefused(ArchivistError):
    """What is wrong with a form, a line for each field. Holds no value that was typed in."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"The source was NOT registered. Please correct:\n{lines}")


def form_schema(kind: Kind) -> dict[str, dg.Field]:
    """Flat fields: what every source has, and the kind's own options."""
    return {**_COMMON, **{option.name: _option_field(option) for option in kind.options}}


def form_config(kind: Kind, op: str) -> dg.ConfigMapping:
    """From a filled-in form to the configuration of the op that registers, or a refusal."""

    def mapping(form: Mapping[str, Any]) -> dict[str, object]:
        spec_json = json.dumps(raw_spec(kind, form))
        return {"ops": {op: {"config": {"spec_json": spec_json, "check_only": form["check_only"]}}}}

    return dg.ConfigMapping(config_fn=mapping, config_schema=form_schema(kind))


def raw_spec(kind: Kind, form: Mapping[str, Any]) -> dict[str, object]:
    """The form as `spec_from_json` reads it.

    Raises:
        RegistrationRefused: names every wrong field.
    """
    rules, unreadable = rules_as_json(form["rules"])
    raw = {name: form[name] for name in _COMMON if name not in ("rules", "check_only")}
    location = {option.name: form[option.name] for option in kind.options if form.get(option.name)}
    raw |= {"kind": kind.name, "location": location, "rules": rules}
    problems = [*unreadable, *_problems(lambda: checked_spec(raw, Settings()))]
    if problems:
        raise RegistrationRefused(tuple(problems))
    return raw


def _problems(check: Callable[[], object]) -> list[FieldProblem]:
    try:
        check()
    except InvalidInput as error:
        return [FieldProblem(found.field.removeprefix("location."), found.problem, found.limit) for found in error.problems]
    return []


def _option_field(option: Option) -> dg.Field:
    description = f"{option.description} For example: {option.example}" if option.example else option.description
    type_ = dg.Array(dg.String) if option.takes_many else dg.String
    if option.required:
        return dg.Field(type_, description=description)
    default = ([option.default] if option.default else []) if option.takes_many else option.default
    return dg.Field(type_, is_required=False, default_value=default, description=description)
