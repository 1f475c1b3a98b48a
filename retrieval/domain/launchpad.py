"""Links into the Dagster UI that open a job's launchpad with its form filled in."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote_plus

from retrieval.domain.errors import InvalidInput
from retrieval.domain.form_fields import Value
from retrieval.domain.registration_fields import DRY_RUN
from retrieval.domain.registration_form import form_of_source
from retrieval.domain.registration_template import form_lines, registration_template
from retrieval.domain.source_kinds import KINDS, Kind
from retrieval.domain.sources import SourceSpec

CODE_LOCATION = "pipelines.definitions"
"""Under which name Dagster knows our definitions, wherever it is told to load that module."""
MAX_LINK_CHARACTERS = 8_000
"""What proxies take at least, such as nginx as it comes. Links stay below."""
_LEFT_AS_IT_IS = "/:,*'()!"

_KEPT_IN_FILES = "This source is kept in the YAML files of '{manifest}': what is changed here is changed back when they are applied."


def registration_job(kind: Kind) -> str:
    """The job that registers, and changes, sources of a kind."""
    return f"register_{kind.name}_source"


def launchpad_link(kind: Kind, dagster_url: str, values: Mapping[str, Value] | None = None) -> str:
    """Where a person registers a source of the kind."""
    return job_link(registration_job(kind), registration_template(kind, values), dagster_url)


def change_link(spec: SourceSpec, dagster_url: str) -> str:
    """Where a person changes a source: the form filled in as it is registered now.

    Raises:
        InvalidInput: names the permission rules that no line can hold, `source`, which says too much for a link, or a kind that is gone.
    """
    kind = KINDS.get(spec.kind)
    if kind is None:
        raise InvalidInput.of("kind", "is none of those there are now")
    values = form_of_source(kind, spec)
    note = _KEPT_IN_FILES.format(manifest=spec.manifest) if spec.manifest else ""
    forms = (registration_template(kind, values, note=note), form_lines({**values, DRY_RUN.name: True}))
    links = (job_link(registration_job(kind), form, dagster_url) for form in forms)
    short_enough = next((link for link in links if len(link) <= MAX_LINK_CHARACTERS), None)
    if short_enough is None:
        raise InvalidInput.of("source", "is registered with more than fits into a link: change it with a YAML file")
    return short_enough


SOURCE_JOBS: Mapping[str, Mapping[str, Value]] = MappingProxyType(
    {
        "pause_source": {},
        "resume_source": {},
        "retire_source": {"confirm": ""},
        "delete_source": {"dry_run": True, "confirm": ""},
    }
)
"""Jobs on a source that is there, and what their forms ask besides its id."""


def source_links(source: str, dagster_url: str) -> dict[str, str]:
    """Job to where a person launches it on a source."""
    return {job: job_link(job, form_lines({"source": source, **asked}), dagster_url) for job, asked in SOURCE_JOBS.items()}


def job_link(job: str, form: str, dagster_url: str) -> str:
    """Where a job's launchpad opens with this YAML in it. `dagster_url`: of the UI, as people's browsers reach it."""
    return f"{dagster_url.rstrip('/')}/locations/{CODE_LOCATION}/jobs/{job}/playground/setup?config={quote_plus(form, safe=_LEFT_AS_IT_IS)}"
