"""What a data owner says of a source. One validation for the Dagster UI, the command line and the API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.permissions import NOBODY, AccessPolicy, check_subject

MAX_RULES = 500
MAX_GLOB_LENGTH = 500
MAX_TITLE_LENGTH = 200
_SOURCE_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")


class Classification(StrEnum):
    """How sensitive a source's documents are, least first."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class SourceState(StrEnum):
    """Whether a source is kept up to date and readable."""

    ACTIVE = "active"
    PAUSED = "paused"
    RETIRED = "retired"


@dataclass(frozen=True)
class PermissionRule:
    """The policy of the documents whose key matches `glob`. `**` crosses folders, `*` does not."""

    glob: str
    policy: AccessPolicy


@dataclass(frozen=True)
class SourceSpec:
    """Everything that is registered of a source.

    Attributes:
        id: lower-case letters, digits and hyphens, 2 to 63; the Dagster partition key.
        kind: which connector reads it, e.g. `files`, `web`.
        owner: the subject who answers for it, e.g. `user:dana`.
        location: the connector's own options, all strings or lists of strings (`pipelines/connectors` checks them).
        rules: permission rules, first match gives the allowed subjects, every match adds its denied ones.
        schedule: five-field cron in UTC, or empty for on demand only.
    """

    id: str
    kind: str
    title: str
    owner: str
    location: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[PermissionRule, ...] = ()
    classification: Classification = Classification.INTERNAL
    schedule: str = ""

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise InvalidInput(problems)
        object.__setattr__(self, "location", MappingProxyType(dict(self.location)))

    def _problems(self) -> "list[FieldProblem]":
        problems = []
        if not _SOURCE_ID.fullmatch(self.id):
            problems.append(
                FieldProblem("id", "lower-case letters, digits and hyphens, starting with a letter or digit", "2 to 63 characters")
            )
        if not self.title.strip() or len(self.title) > MAX_TITLE_LENGTH:
            problems.append(FieldProblem("title", "a name that people recognise", f"1 to {MAX_TITLE_LENGTH} characters"))
        try:
            AccessPolicy.of([self.owner])
        except InvalidInput:
            problems.append(FieldProblem("owner", "a subject such as 'user:dana' or 'group:finance'"))
        if len(self.rules) > MAX_RULES:
            problems.append(FieldProblem("rules", "too many permission rules", f"{MAX_RULES} rules"))
        for number, rule in enumerate(self.rules, 1):
            if not rule.glob or len(rule.glob) > MAX_GLOB_LENGTH:
                problems.append(
                    FieldProblem(f"rules[{number}].glob", "a pattern such as 'finance/**'", f"1 to {MAX_GLOB_LENGTH} characters")
                )
        return problems


def spec_as_json(spec: SourceSpec) -> dict[str, object]:
    """The spec as JSON values, for the catalog and for `--json`. `spec_from_json` is the inverse."""
    return {
        "id": spec.id,
        "kind": spec.kind,
        "title": spec.title,
        "owner": spec.owner,
        "location": {name: list(v) if isinstance(v, tuple) else v for name, v in spec.location.items()},
        "rules": [{"glob": r.glob, "allow": sorted(r.policy.allow), "deny": sorted(r.policy.deny)} for r in spec.rules],
        "classification": spec.classification.value,
        "schedule": spec.schedule,
    }


def spec_from_json(raw: Mapping[str, object]) -> SourceSpec:
    """A spec from JSON values such as a YAML file holds.

    Raises:
        InvalidInput: names every field that is unknown, missing or wrong.
    """
    known = set(SourceSpec.__dataclass_fields__)
    problems = [FieldProblem(name, "unknown field", "one of " + ", ".join(sorted(known))) for name in sorted(set(map(str, raw)) - known)]
    problems += [FieldProblem(name, "is required") for name in ("id", "kind", "title", "owner") if not isinstance(raw.get(name), str)]
    location = raw.get("location", {})
    rules = raw.get("rules", [])
    if not isinstance(location, Mapping):
        problems.append(FieldProblem("location", "a mapping of the connector's options"))
    if not isinstance(rules, list):
        problems.append(FieldProblem("rules", "a list of {glob, allow, deny}"))
    try:
        classification = Classification(str(raw.get("classification", Classification.INTERNAL.value)))
    except ValueError:
        problems.append(FieldProblem("classification", "not a classification", "one of " + ", ".join(c.value for c in Classification)))
    read = [_rule(number, rule, problems) for number, rule in enumerate(rules, 1)] if isinstance(rules, list) else []
    if problems:
        raise InvalidInput(problems)
    assert isinstance(location, Mapping)
    return SourceSpec(
        id=str(raw["id"]),
        kind=str(raw["kind"]),
        title=str(raw["title"]),
        owner=str(raw["owner"]),
        location={str(k): tuple(map(str, v)) if isinstance(v, list | tuple) else str(v) for k, v in location.items()},
        rules=tuple(read),
        classification=classification,
        schedule=str(raw.get("schedule") or ""),
    )


def _rule(number: int, raw: object, problems: list[FieldProblem]) -> PermissionRule:
    """One rule. What is wrong with it goes to `problems`, and then the rule means nothing."""
    field = f"rules[{number}]"
    if not isinstance(raw, Mapping) or not isinstance(raw.get("glob"), str):
        problems.append(FieldProblem(field, "a mapping with glob, allow and deny"))
        return PermissionRule("**", NOBODY)
    unknown = set(map(str, raw)) - {"glob", "allow", "deny"}
    if unknown:
        problems.append(FieldProblem(field, "unknown field " + ", ".join(sorted(unknown)), "glob, allow, deny"))
    allow, deny = (_subjects(f"{field}.{effect}", raw.get(effect), problems) for effect in ("allow", "deny"))
    return PermissionRule(raw["glob"], AccessPolicy.of(allow, deny))


def _subjects(field: str, raw: object, problems: list[FieldProblem]) -> list[str]:
    if not isinstance(raw or [], list):
        problems.append(FieldProblem(field, "a list of subjects"))
        return []
    good = []
    for subject in raw if isinstance(raw, list) else []:
        try:
            good.append(check_subject(str(subject), field=field))
        except InvalidInput as error:
            problems.extend(error.problems)
    return good
