"""What a data owner says of a source. One validation for the Dagster UI, the command line and the API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from retrieval.domain.answer_policy import UNSAID, AnswerTerms, terms_as_json, terms_from_json
from retrieval.domain.contracts import NO_CONTRACT, ContractTerms, contract_as_json, contract_from_json
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.json_fields import one_of, subjects, unknown_fields, whole_number
from retrieval.domain.permissions import NOBODY, AccessPolicy
from retrieval.domain.retention import DEFAULT_TERMS, RetentionTerms, retention_as_json, retention_from_json

MAX_RULES = 500
MAX_GLOB_LENGTH = 500
MAX_TITLE_LENGTH = 200
MAX_PERMISSION_AGE_HOURS = 24 * 366
SOURCE_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class Classification(StrEnum):
    """How sensitive a source's documents are, least first."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"

    @property
    def sensitivity(self) -> int:
        """0 for public, 3 for restricted. Who is cleared for one is cleared for all below."""
        return list(Classification).index(self)


class StalePermissions(StrEnum):
    """What happens to a source's documents when its permissions were last read too long ago."""

    WITHHOLD = "withhold"
    WARN = "warn"


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
        region: where its documents may be read, e.g. `eu`; empty: anywhere. A principal's regions must name it.
        max_permission_age_hours: how old the permissions that were last read may be; 0: the service's default.
        stale_permissions: what happens then.
        answers: what holds for answers that stand on it.
        contract: what is promised of its documents, and what happens where the promise is broken.
        retention: how long versions that are not current are kept.
        manifest: name of the folder of YAML files that it is kept in; empty: it was registered by itself.
    """

    id: str
    kind: str
    title: str
    owner: str
    location: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[PermissionRule, ...] = ()
    classification: Classification = Classification.INTERNAL
    schedule: str = ""
    region: str = ""
    max_permission_age_hours: int = 0
    stale_permissions: StalePermissions = StalePermissions.WITHHOLD
    answers: AnswerTerms = UNSAID
    contract: ContractTerms = NO_CONTRACT
    retention: RetentionTerms = DEFAULT_TERMS
    manifest: str = ""

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise InvalidInput(problems)
        object.__setattr__(self, "location", MappingProxyType(dict(self.location)))

    def _problems(self) -> "list[FieldProblem]":
        problems = []
        if not SOURCE_ID.fullmatch(self.id):
            problems.append(
                FieldProblem("id", "lower-case letters, digits and hyphens, starting with a letter or digit", "2 to 63 characters")
            )
        if not self.title.strip() or len(self.title) > MAX_TITLE_LENGTH:
            problems.append(FieldProblem("title", "a name that people recognise", f"1 to {MAX_TITLE_LENGTH} characters"))
        try:
            AccessPolicy.of([self.owner])
        except InvalidInput:
            problems.append(FieldProblem("owner", "a subject such as 'user:dana' or 'group:finance'"))
        if self.manifest and not SOURCE_ID.fullmatch(self.manifest):
            problems.append(FieldProblem("manifest", "lower-case letters, digits and hyphens", "2 to 63 characters"))
        if self.region and not REGION.fullmatch(self.region):
            problems.append(FieldProblem("region", "lower-case letters, digits and hyphens, e.g. 'eu'", "1 to 32 characters"))
        if not 0 <= self.max_permission_age_hours <= MAX_PERMISSION_AGE_HOURS:
            limit = f"1 to {MAX_PERMISSION_AGE_HOURS} hours, or 0 for the service's default"
            problems.append(FieldProblem("max_permission_age_hours", "is out of range", limit))
        if len(self.rules) > MAX_RULES:
            problems.append(FieldProblem("rules", "too many permission rules", f"{MAX_RULES} rules"))
        for number, rule in enumerate(self.rules, 1):
            if not rule.glob or len(rule.glob) > MAX_GLOB_LENGTH:
                problems.append(
                    FieldProblem(f"rules[{number}].glob", "a pattern such as 'finance/**'", f"1 to {MAX_GLOB_LENGTH} characters")
                )
        return problems


def spec_as_json(spec: SourceSpec) -> dict[str, object]:
    """The spec as JSON values, for the catalog and for `--json`. `spec_from_json` is the inverse.

    What was not there in earlier versions is left out where it says nothing, so that an earlier registration still reads the same.
    """
    contract = contract_as_json(spec.contract)
    said: dict[str, object] = {
        "id": spec.id,
        "kind": spec.kind,
        "title": spec.title,
        "owner": spec.owner,
        "location": {name: list(v) if isinstance(v, tuple) else v for name, v in spec.location.items()},
        "rules": [{"glob": r.glob, "allow": sorted(r.policy.allow), "deny": sorted(r.policy.deny)} for r in spec.rules],
        "classification": spec.classification.value,
        "schedule": spec.schedule,
        "region": spec.region,
        "max_permission_age_hours": spec.max_permission_age_hours,
        "stale_permissions": spec.stale_permissions.value,
        "answers": terms_as_json(spec.answers),
    }
    later = {"contract": contract, "retention": retention_as_json(spec.retention), "manifest": spec.manifest}
    return said | {name: value for name, value in later.items() if value}


def spec_from_json(raw: Mapping[str, object]) -> SourceSpec:
    """A spec from JSON values such as a YAML file holds.

    Raises:
        InvalidInput: names every field that is unknown, missing or wrong.
    """
    problems: list[FieldProblem] = []
    unknown_fields(raw, frozenset(SourceSpec.__dataclass_fields__), problems)
    problems += [FieldProblem(name, "is required") for name in ("id", "kind", "title", "owner") if not isinstance(raw.get(name), str)]
    location = raw.get("location", {})
    rules = raw.get("rules", [])
    if not isinstance(location, Mapping):
        problems.append(FieldProblem("location", "a mapping of the connector's options"))
    if not isinstance(rules, list):
        problems.append(FieldProblem("rules", "a list of {glob, allow, deny}"))
    classification = one_of(
        Classification, "classification", raw.get("classification", Classification.INTERNAL), Classification.INTERNAL, problems
    )
    stale = one_of(
        StalePermissions, "stale_permissions", raw.get("stale_permissions", StalePermissions.WITHHOLD), StalePermissions.WITHHOLD, problems
    )
    max_age = whole_number("max_permission_age_hours", raw.get("max_permission_age_hours", 0), "hours", problems)
    answers = terms_from_json(raw.get("answers"), problems)
    contract = contract_from_json(raw.get("contract"), problems)
    retention = retention_from_json(raw.get("retention"), problems)
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
        region=str(raw.get("region") or ""),
        max_permission_age_hours=max_age,
        stale_permissions=stale,
        answers=answers,
        contract=contract,
        retention=retention,
        manifest=str(raw.get("manifest") or ""),
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
    allow, deny = (subjects(f"{field}.{effect}", raw.get(effect), problems) for effect in ("allow", "deny"))
    return PermissionRule(raw["glob"], AccessPolicy.of(allow, deny))
