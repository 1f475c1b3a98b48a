"""What is checked before a source is registered, in the Dagster UI as on the command line: everything at once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from croniter import croniter

from pipelines.connectors.globs import glob_problem
from pipelines.connectors.port import Probe
from pipelines.connectors.registry import connect, location_problems
from retrieval.domain.errors import Conflict, FieldProblem, InvalidInput
from retrieval.domain.registration_form import changed_fields
from retrieval.domain.sources import SourceSpec, SourceState, spec_from_json
from retrieval.ports.sources import RegisteredSource, SourceRegistry
from retrieval.settings import Settings

_STAND_INS: Mapping[str, object] = {
    "id": "stand-in",
    "title": "stand-in",
    "owner": "everyone",
    "kind": "files",
    "location": {},
    "rules": [],
    "classification": "internal",
    "schedule": "",
    "region": "",
    "max_permission_age_hours": 0,
    "stale_permissions": "withhold",
    "answers": {},
    "contract": {},
    "retention": {},
    "manifest": "",
}
"""Values with nothing wrong. They take the place of wrong ones, so that what is wrong elsewhere is found in the same round."""
ROUNDS = 4
"""Unknown and missing fields, then wrong values, then none; one to spare."""
CRON_FIELDS = 5
_BEFORE_PARTS = re.compile(r"[.\[]")


class Outcome(StrEnum):
    """What a registration does."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Plan:
    """What registering a spec does, or did. `version`: of the registration then. `changed`: names of fields, never their values."""

    outcome: Outcome
    version: int
    changed: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        if self.outcome is Outcome.CREATED:
            return "created"
        if self.outcome is Outcome.UNCHANGED:
            return f"unchanged, as version {self.version}"
        return f"changed to version {self.version}: {', '.join(self.changed)}"


def planned(registry: SourceRegistry, spec: SourceSpec) -> Plan:
    """What `register` would do now.

    Raises:
        Conflict: as `register` does.
    """
    found = _registered(registry, spec.id)
    if found is None:
        return Plan(Outcome.CREATED, 1)
    if found.state is SourceState.RETIRED:
        raise Conflict("this source is retired: register it under another id")
    if found.spec.kind != spec.kind:
        raise Conflict(f"this source is registered as a {found.spec.kind} source: register the new kind under another id")
    changed = changed_fields(found.spec, spec)
    return Plan(Outcome.CHANGED, found.version + 1, changed) if changed else Plan(Outcome.UNCHANGED, found.version)


def register(registry: SourceRegistry, spec: SourceSpec, *, by: str) -> Plan:
    """Register it, and say what that did. Raises Conflict for a retired source, or one of another kind."""
    plan = planned(registry, spec)
    return replace(plan, version=registry.register(spec, by=by))


def checked_spec(raw: Mapping[str, object], settings: Settings) -> SourceSpec:
    """The spec that `raw` describes.

    Raises:
        InvalidInput: names everything that is wrong with it, and no value.
    """
    problems: list[FieldProblem] = []
    rules = raw.get("rules") or []
    spec = replace(_read({**raw, "rules": []}, problems), rules=_read({**_STAND_INS, "rules": rules}, problems).rules)
    if not {"kind", "location"} & {problem.field for problem in problems}:
        problems += location_problems(replace(spec, rules=()), settings)
    problems += [*_pattern_problems(rules), *_schedule_problems(spec.schedule)]
    if problems:
        raise InvalidInput(list({problem.field: problem for problem in reversed(problems)}.values())[::-1])
    return spec


def look_at(spec: SourceSpec, settings: Settings) -> Probe:
    """What is there. Raises InvalidInput when the source cannot be reached."""
    connector = connect(spec, settings)
    try:
        probe = connector.probe()
    finally:
        connector.close()
    if probe.problem is not None:
        raise InvalidInput.of("location", f"the source cannot be reached: {probe.problem}")
    return probe


def _registered(registry: SourceRegistry, source: str) -> RegisteredSource | None:
    try:
        return registry.get(source)
    except InvalidInput:
        return None


def _read(given: Mapping[str, object], problems: list[FieldProblem]) -> SourceSpec:
    """The spec, with stand-ins for what is wrong; that goes to `problems`."""
    for _ in range(ROUNDS):
        try:
            return spec_from_json(given)
        except InvalidInput as error:
            problems += error.problems
            wrong = {_BEFORE_PARTS.split(problem.field)[0] for problem in error.problems}
            replaced = {name: _STAND_INS[name] for name in wrong & set(_STAND_INS)}
            given = {name: value for name, value in given.items() if name not in wrong} | replaced
    raise InvalidInput(problems)


def _pattern_problems(rules: object) -> Iterator[FieldProblem]:
    """Of each rule's pattern, whatever else is wrong with the rules."""
    for number, rule in enumerate(rules if isinstance(rules, list) else [], 1):
        glob = rule.get("glob") if isinstance(rule, Mapping) else None
        if isinstance(glob, str) and (problem := glob_problem(glob)):
            yield FieldProblem(f"rules[{number}].glob", problem)


def _schedule_problems(schedule: str) -> list[FieldProblem]:
    if not schedule or (len(schedule.split()) == CRON_FIELDS and croniter.is_valid(schedule)):
        return []
    return [FieldProblem("schedule", "five fields of cron in UTC such as '0 3 * * *', or nothing for on demand only")]
