"""Registering through the Dagster UI's own door: the template of the link, sent as the launchpad sends it, over GraphQL."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
import yaml
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.events import DagsterEvent
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget, ModuleTarget
from dagster_webserver.app import create_app_from_workspace_process_context

from pipelines.home import dagster_instance
from pipelines.serve import DEFINITIONS
from pipelines.who import PERSON_TAG
from retrieval.domain.launchpad import CODE_LOCATION, SOURCE_JOBS, registration_job
from retrieval.domain.registration_template import registration_template
from retrieval.domain.source_kinds import FILES, KINDS
from tests.dagster_web import SECRET, launch, serving, through_proxy
from tests.pipelines.dagster.conftest import Plant

pytestmark = pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning")  # Dagster reads its own

JOB = registration_job(FILES)
DANA = through_proxy("dana", "data-owners")
SCHEMA = """query($selector: PipelineSelector!) { runConfigSchemaOrError(selector: $selector) {
  ... on RunConfigSchema { rootConfigType { ... on CompositeConfigType { fields { name isRequired description configTypeKey } } } } } }"""


@dataclass
class Ui:
    """The server, and what it and the runs stand on."""

    url: str
    instance: dg.DagsterInstance
    plant: Plant

    def launch(self, form: str, headers: list[tuple[str, str]], job: str = JOB) -> httpx.Response:
        """As the launchpad does: the YAML read, and sent as JSON."""
        return httpx.post(f"{self.url}/graphql", json=launch(job, yaml.safe_load(form)), headers=headers, timeout=60, trust_env=False)

    def run(self, form: str, headers: list[tuple[str, str]], job: str = JOB) -> dg.DagsterRun:
        """Launch it and do what the daemon would do then."""
        launched = self.launch(form, headers, job).json()["data"]["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id = launched["run"]["runId"]
        starting = DagsterEvent(event_type_value=dg.DagsterEventType.PIPELINE_STARTING.value, job_name=job)
        self.instance.report_dagster_event(starting, run_id=run_id)
        taken = self.instance.get_run_by_id(run_id)
        assert taken is not None
        execute_run(InMemoryJob(self.plant.definitions.resolve_job_def(job)), taken, self.instance, raise_on_error=False)
        done = self.instance.get_run_by_id(run_id)
        assert done is not None
        return done

    def said(self, run: dg.DagsterRun) -> str:
        return "\n".join(str(entry) for entry in self.instance.all_logs(run.run_id))


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., Plant]) -> Iterator[Ui]:
    folder = tmp_path_factory.mktemp("launch")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ARCHIVIST_DATA_DIRECTORY", str(folder / "archivist"))
        environment.setenv("ARCHIVIST_DAGSTER_PEOPLE", "proxy")
        environment.setenv("ARCHIVIST_DAGSTER_PROXY_SECRET", SECRET)
        plant = make_world(folder, dagster_people="proxy", dagster_proxy_secret=SECRET)
        plant.write("travel.md", "# Travel\n\nBy train.\n")
        origin = LoadableTargetOrigin(executable_path="python", module_name=DEFINITIONS)
        target = InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(origin, location_name=CODE_LOCATION))
        with (
            dagster_instance(plant.settings) as instance,
            WorkspaceProcessContext(instance, target) as context,
            serving(create_app_from_workspace_process_context(context)) as url,
        ):
            yield Ui(url, instance, plant)


def _form(root: Path, **fields: Any) -> str:
    good = {"id": "handbook", "title": "The handbook", "owner": "user:dana", "root": str(root)}
    return registration_template(FILES, good | fields)


def test_the_template_registers_a_source_in_two_launches(ui: Ui) -> None:
    dry = ui.run(_form(ui.plant.root), DANA)

    assert dry.status is dg.DagsterRunStatus.SUCCESS, ui.said(dry)
    assert not ui.plant.catalog.sources.list()
    registered = ui.run(_form(ui.plant.root, dry_run=False, rules=("**: allow everyone",), risk_tier="high"), DANA)
    assert registered.status is dg.DagsterRunStatus.SUCCESS, ui.said(registered)
    source = ui.plant.catalog.sources.get("handbook")
    assert (source.registered_by, source.spec.answers.risk_tier.value) == ("user:dana", "high")
    assert ui.instance.get_dynamic_partitions("sources") == ["handbook"]


def test_who_does_not_answer_for_a_source_neither_changes_nor_looks_into_it(ui: Ui) -> None:
    _registered(ui)
    eve = through_proxy("eve", "data-owners")

    for fields in ({"dry_run": False}, {"dry_run": True}, {"dry_run": False, "owner": "user:eve"}):
        run = ui.run(_form(ui.plant.root, title="Taken over", **fields), eve)
        assert run.status is dg.DagsterRunStatus.FAILURE
        assert run.tags[PERSON_TAG] == "user:eve"
        assert "does not answer for this source" in ui.said(run)
    for job in ("pause_source", "retire_source", "delete_source"):
        form = {"source": "handbook"} | ({} if job == "pause_source" else {"confirm": "handbook"})
        run = ui.run(yaml.safe_dump(form | ({"dry_run": False} if job == "delete_source" else {})), eve, job)
        assert run.status is dg.DagsterRunStatus.FAILURE
    assert ui.plant.catalog.sources.get("handbook").spec.title == "The handbook"
    assert ui.plant.catalog.sources.get("handbook").state.value == "active"


def test_a_form_with_something_wrong_is_refused_before_there_is_a_run(ui: Ui) -> None:
    before = ui.instance.get_runs_count()

    refused = ui.launch(_form(ui.plant.root, id="Hand Book s3cret", rules=("s3cret",), dry_run=False), DANA).text

    assert "Nothing was done. Please correct" in refused
    assert "- id: lower-case letters" in refused
    assert "- rules[1]: write it like" in refused
    assert "s3cret" not in refused
    assert ui.instance.get_runs_count() == before


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"title": {"env": "HOME"}}, id="environment"),
        pytest.param({"resources": {"workbench": {"config": {}}}}, id="resources"),
        pytest.param({"ops": {"write_registration": {"config": {"source": "{}", "dry_run": False}}}}, id="the op itself"),
        pytest.param({"execution": {"config": {}}}, id="the executor"),
        pytest.param({"loggers": {}}, id="loggers"),
    ],
)
def test_the_launchpad_takes_the_fields_of_the_form_and_nothing_else(ui: Ui, more: dict[str, Any]) -> None:
    before = ui.instance.get_runs_count()
    form = yaml.safe_load(_form(ui.plant.root)) | more

    refused = ui.launch(yaml.safe_dump(form), DANA).json()["data"]["launchRun"]

    assert refused["__typename"] == "RunConfigValidationInvalid"
    assert ui.instance.get_runs_count() == before


def test_a_password_in_the_place_of_a_reference_is_not_kept_anywhere(ui: Ui) -> None:
    before = ui.instance.get_runs_count()
    sql = KINDS["sql"]
    form = registration_template(sql, {"database": "postgresql://reader:hunter2@db/kb", "dry_run": False})

    refused = ui.launch(form, DANA, registration_job(sql)).json()

    assert "- database: a reference and never the credential itself" in str(refused)
    assert "hunter2" not in str(refused)
    assert ui.instance.get_runs_count() == before


def test_the_launchpad_explains_every_field(ui: Ui) -> None:
    fields = _fields(ui, JOB)

    assert {name for name, each in fields.items() if each["isRequired"]} == {"id", "title", "owner", "root"}
    assert all(each["description"] for each in fields.values())
    assert "One of public, internal, confidential, restricted." in fields["classification"]["description"]


def test_links_name_the_location_and_jobs_that_dagster_knows(ui: Ui) -> None:
    [origin] = ModuleTarget(DEFINITIONS, attribute=None, working_directory=None, location_name=None).create_origins()
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } jobs { name } } } } }"

    answer = httpx.post(f"{ui.url}/graphql", json={"query": query}, headers=DANA, timeout=60, trust_env=False).json()

    [repository] = answer["data"]["repositoriesOrError"]["nodes"]
    assert origin.location_name == repository["location"]["name"] == CODE_LOCATION
    assert {job["name"] for job in repository["jobs"]} >= {*SOURCE_JOBS, *map(registration_job, KINDS.values())}
    for job, asked in SOURCE_JOBS.items():
        assert {"source", *asked} <= set(_fields(ui, job))


def _fields(ui: Ui, job: str) -> dict[str, dict[str, Any]]:
    """What the launchpad shows of a job's form."""
    selector = {"repositoryLocationName": CODE_LOCATION, "repositoryName": "__repository__", "pipelineName": job}
    body = {"query": SCHEMA, "variables": {"selector": selector}}
    answer = httpx.post(f"{ui.url}/graphql", json=body, headers=DANA, timeout=60, trust_env=False).json()
    return {each["name"]: each for each in answer["data"]["runConfigSchemaOrError"]["rootConfigType"]["fields"]}


def _registered(ui: Ui) -> None:
    if not ui.plant.catalog.sources.list():
        run = ui.run(_form(ui.plant.root, dry_run=False), DANA)
        assert run.status is dg.DagsterRunStatus.SUCCESS, ui.said(run)
