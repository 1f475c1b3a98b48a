"""How data owners register sources in the Dagster UI: flat forms, refused before a run exists when something is wrong."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.errors import DagsterConfigMappingFunctionError, DagsterInvalidConfigError

from retrieval.domain.answer_policy import terms_as_json
from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.source_kinds import KINDS
from retrieval.domain.sources import PermissionRule, SourceState
from tests.pipelines.dagster.conftest import Plant


def _form(plant: Plant, **fields: Any) -> dict[str, Any]:
    good = {"id": "handbook", "title": "The handbook", "owner": "user:dana", "root": str(plant.root), "dry_run": False}
    return {name: value for name, value in (good | fields).items() if value is not None}


def _launch(plant: Plant, job: str, form: dict[str, Any]) -> dg.ExecuteInProcessResult:
    return plant.definitions.resolve_job_def(job).execute_in_process(form, plant.instance, raise_on_error=False)


def _refusal(plant: Plant, form: dict[str, Any], job: str = "register_files_source") -> str:
    with pytest.raises(DagsterConfigMappingFunctionError) as refused:
        _launch(plant, job, form)
    assert plant.instance.get_runs_count() == 0
    return str(refused.value.__cause__)


def test_a_registered_source_is_in_the_registry_with_its_rules_and_has_a_partition(plant: Plant) -> None:
    plant.write("finance/budget.md", "# Budget\n\nNext year.\n")
    rules = ["finance/**: allow group:finance, user:ann; deny user:bob", "**: allow everyone"]
    answers = {"risk_tier": "high", "accepted_error": 0.02, "reviewers": ["group:tax"], "max_age_days": 365, "on_unsupported": "escalate"}
    limits = {"classification": "confidential", "region": "eu", "max_permission_age_hours": 48, "stale_permissions": "warn"}

    result = _launch(plant, "register_files_source", _form(plant, rules=rules, schedule="0 3 * * *", **answers, **limits))

    assert result.success
    source = plant.catalog.sources.get("handbook")
    assert source.spec.rules[0] == PermissionRule("finance/**", AccessPolicy.of(["group:finance", "user:ann"], ["user:bob"]))
    assert source.spec.schedule == "0 3 * * *"
    assert {name: getattr(source.spec, name) for name in limits} == limits
    assert {name: value for name, value in terms_as_json(source.spec.answers).items() if name in answers} == answers
    assert source.spec.location["root"] == str(plant.root)
    assert plant.instance.get_dynamic_partitions("sources") == ["handbook"]
    [event] = [event for event in result.all_events if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION]
    assert event.partition == "handbook"
    assert event.materialization.metadata["documents found"].value == "1"
    assert event.materialization.metadata["documents without permission"].value == 0


def test_a_web_source_has_a_form_of_its_own(plant: Plant) -> None:
    form = {"id": "site", "title": "Site", "owner": "user:dana", "urls": ["ftp://example.com/"], "sitemap": ""}

    refusal = _refusal(plant, form, "register_web_source")

    assert "urls[1]" in refusal


def test_every_kind_of_source_can_be_registered(plant: Plant) -> None:
    jobs = {job.name for job in plant.definitions.resolve_all_job_defs()}

    assert jobs >= {f"register_{kind}_source" for kind in KINDS}


def test_every_wrong_field_is_named_at_once_and_no_value_is_repeated(plant: Plant) -> None:
    form = _form(
        plant,
        id="Hand Book",
        title=" ",
        owner="dana-s3cret",
        root="relative-s3cret",
        include=["/absolute-s3cret"],
        schedule="s3cret",
        region="S3cret!",
        max_permission_age_hours=-1,
        accepted_error=0.9,
        skill="s3cret" * 20,
        formats=["s3cret!"],
        keep_days=-1,
        rules=["**: allow everyone", "finance s3cret", "a/**: allow s3cret"],
    )

    refusal = _refusal(plant, form)

    for field in (
        "id:",
        "title:",
        "owner:",
        "root:",
        "include[1]:",
        "schedule:",
        "region:",
        "max_permission_age_hours:",
        "accepted_error:",
        "skill:",
        "formats:",
        "keep_days:",
        "rules[2]:",
        "rules[3].allow:",
    ):
        assert f"- {field}" in refusal
    assert "s3cret" not in refusal
    assert "rules[1]" not in refusal


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("title", {"env": "PATH"}, id="environment-in-a-title"),
        pytest.param("root", {"env": "PATH"}, id="environment-in-an-option"),
        pytest.param("rules", [{"env": "PATH"}], id="environment-in-a-list"),
        pytest.param("classification", "secret", id="unknown-classification"),
        pytest.param("risk_tier", "extreme", id="unknown-tier"),
        pytest.param("skill", {"env": "PATH"}, id="environment-in-answers"),
        pytest.param("nonsense", "x", id="unknown-field"),
        pytest.param("owner", None, id="missing-field"),
        pytest.param("resources", {"workbench": {"config": {}}}, id="resources"),
        pytest.param("ops", {"write_registration": {"config": {"source": "{}", "dry_run": False}}}, id="the-op-itself"),
    ],
)
def test_the_form_takes_nothing_but_its_own_plain_fields(plant: Plant, field: str, value: object) -> None:
    form = _form(plant, **{field: value})

    with pytest.raises(DagsterInvalidConfigError) as refused:
        _launch(plant, "register_files_source", form)

    assert field in str(refused.value)
    assert plant.instance.get_runs_count() == 0
    assert not plant.catalog.sources.list()


def test_a_run_configuration_cannot_point_ingestion_at_other_resources(plant: Plant) -> None:
    plant.write("travel.md", "# Travel\n\nBy train.\n")
    plant.register()

    result = plant.ingest(run_config={"resources": {"workbench": {"config": {"data_directory": "/elsewhere"}}}})

    assert result.success
    assert set(plant.current()) == {"travel.md"}


def test_a_folder_that_is_not_there_is_not_registered(plant: Plant) -> None:
    result = _launch(plant, "register_files_source", _form(plant, root=str(plant.root / "nowhere")))

    assert not result.success
    assert not plant.catalog.sources.list()
    failure = result.filter_events(lambda event: event.is_step_failure)[0].step_failure_data
    assert "NOT registered" in failure.user_failure_data.description


def test_a_form_that_is_only_checked_registers_nothing(plant: Plant) -> None:
    result = _launch(plant, "register_files_source", _form(plant, dry_run=True))

    assert result.success
    assert not plant.catalog.sources.list()
    assert not plant.instance.get_dynamic_partitions("sources")


def test_retiring_wants_the_id_twice(plant: Plant) -> None:
    plant.register()

    refusal = _refusal(plant, {"source": "handbook", "confirm": "yes"}, "retire_source")

    assert "confirm:" in refusal
    assert plant.catalog.sources.get("handbook").state is SourceState.ACTIVE


def test_a_paused_source_can_be_resumed(plant: Plant) -> None:
    plant.register()
    _launch(plant, "pause_source", {"source": "handbook"})

    result = _launch(plant, "resume_source", {"source": "handbook"})

    assert result.success
    assert plant.catalog.sources.get("handbook").state is SourceState.ACTIVE


def test_an_unknown_source_cannot_be_paused(plant: Plant) -> None:
    result = _launch(plant, "pause_source", {"source": "nowhere"})

    assert not result.success
    with pytest.raises(InvalidInput):
        plant.catalog.sources.get("nowhere")


def test_deleting_shows_first_what_would_go(plant: Plant) -> None:
    _published(plant)

    result = _launch(plant, "delete_source", {"source": "handbook"})

    assert result.success
    assert _output(result)["would be removed"] == {"documents": 2, "versions": 2}
    assert set(plant.current()) == {"travel.md", "leave.md"}
    assert plant.instance.get_dynamic_partitions("sources") == ["handbook"]


def test_deleting_wants_the_id_twice(plant: Plant) -> None:
    plant.register()

    refusal = _refusal(plant, {"source": "handbook", "dry_run": False, "confirm": "yes"}, "delete_source")

    assert "confirm:" in refusal


def test_a_deleted_source_leaves_a_signed_report_and_nothing_else(plant: Plant) -> None:
    _published(plant)

    result = _launch(plant, "delete_source", {"source": "handbook", "dry_run": False, "confirm": "handbook", "reason": "Moved elsewhere"})

    assert result.success
    assert _output(result)["removed"]["documents"] == 2
    report = json.loads(Path(_output(result)["report"]).read_text())
    assert (report["by"], report["reason"]) == ("app:dagster", "Moved elsewhere")
    assert not plant.current()
    assert plant.catalog.sources.get("handbook").state is SourceState.RETIRED
    assert not plant.instance.get_dynamic_partitions("sources")
    with plant.catalog.database.read() as connection:
        for table in ("documents", "document_versions", "passages", "texts", "embeddings"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0, table


def _published(plant: Plant) -> None:
    plant.write("travel.md", "# Travel\n\nBy train.\n")
    plant.write("leave.md", "# Leave\n\nThirty days.\n")
    plant.register()
    assert plant.ingest().success


def _output(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """What the run shows; tables as name to number."""
    [event] = [event for event in result.all_node_events if event.event_type is dg.DagsterEventType.STEP_OUTPUT]
    shown = event.event_specific_data.metadata
    tables = {name: value for name, value in shown.items() if isinstance(value, dg.TableMetadataValue)}
    return {name: value.value for name, value in shown.items() if name not in tables} | {
        name: {str(what): count for what, count in (tuple(row.data.values()) for row in value.records)} for name, value in tables.items()
    }
