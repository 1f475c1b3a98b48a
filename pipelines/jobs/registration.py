"""One registration for the Dagster UI and the command line: check everything, look at the source, write it down."""

from collections.abc import Mapping
from dataclasses import dataclass

from croniter import croniter

from pipelines.connectors.location import location_problems
from pipelines.connectors.port import Probe
from pipelines.connectors.registry import connect
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.sources import SourceSpec, spec_from_json
from retrieval.ports.sources import SourceRegistry
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
}
"""Values with nothing wrong. They take the place of wrong ones, so that what is wrong elsewhere is found in the same round."""
CRON_FIELDS = 5


@dataclass(frozen=True)
class Registration:
    """What a registration came to. `version` is None when it was only checked."""

    spec: SourceSpec
    probe: Probe
    version: int | None


def checked_spec(raw: Mapping[str, object], settings: Settings) -> SourceSpec:
    """The spec that `raw` describes.

    Raises:
        InvalidInput: names everything that is wrong with it, and no value.
    """
    problems: list[FieldProblem] = []
    given, replaced = dict(raw), set[str]()
    while True:
        try:
            spec = spec_from_json(given)
            break
        except InvalidInput as error:
            wrong = {problem.field.partition("[")[0].partition(".")[0] for problem in error.problems}
            if not wrong - replaced:
                raise
            problems += [problem for problem in error.problems if problem not in problems]
            replaced |= wrong
            given = {name: value for name, value in given.items() if name not in wrong} | {
                w: _STAND_INS[w] for w in wrong & set(_STAND_INS)
            }
    if not replaced & {"kind", "location"}:
        named = {problem.field for problem in problems}
        problems += [problem for problem in location_problems(spec, settings) if problem.field not in named]
    problems += _schedule_problems(spec.schedule)
    if problems:
        raise InvalidInput(problems)
    return spec


def register(registry: SourceRegistry, spec: SourceSpec, settings: Settings, *, by: str, check_only: bool = False) -> Registration:
    """Look at the source and, if it can be reached, register it. The same spec again changes nothing.

    Raises:
        InvalidInput: the source cannot be reached; nothing was registered.
        Conflict: the id is taken by a source of another kind, or retired.
    """
    connector = connect(spec, settings)
    try:
        probe = connector.probe()
    finally:
        connector.close()
    if probe.problem is not None:
        raise InvalidInput.of("location", f"the source cannot be reached: {probe.problem}")
    return Registration(spec, probe, None if check_only else registry.register(spec, by=by))


def _schedule_problems(schedule: str) -> list[FieldProblem]:
    if not schedule or (len(schedule.split()) == CRON_FIELDS and croniter.is_valid(schedule)):
        return []
    return [FieldProblem("schedule", "five fields of cron in UTC such as '0 3 * * *', or nothing for on demand only")]
