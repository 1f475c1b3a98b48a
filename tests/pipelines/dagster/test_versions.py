"""Going back, removing and erasing from the Dagster UI: dry unless told otherwise, refused before a run exists, recorded."""

import json
from pathlib import Path

import dagster as dg
import pytest

from pipelines.jobs.forms import RegistrationRefused
from retrieval.bootstrap import audit_public_key, verified_erasure
from retrieval.domain.ids import content_hash
from tests.pipelines.dagster.conftest import Plant, touch_later


def launch(plant: Plant, job: str, **form: object) -> dg.ExecuteInProcessResult:
    return plant.definitions.resolve_job_def(job).execute_in_process(run_config=form, instance=plant.instance, raise_on_error=False)


def shown(result: dg.ExecuteInProcessResult, op: str) -> dict[str, object]:
    """What the op's output shows: plain values, and lists of rows."""
    [event] = [e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_OUTPUT and e.step_key == op]
    metadata = event.step_output_data.metadata
    return {
        name: [row.data for row in value.records] if isinstance(value, dg.TableMetadataValue) else value.value
        for name, value in metadata.items()
    }


def test_a_source_goes_back_from_the_launchpad_and_stays_there(plant: Plant):
    plant.register()
    page = plant.write("a.md", "Good. Ask ACME-17.")
    plant.ingest()
    good = plant.catalog.revision()
    page.write_text("Bad. Ask ACME-18.")
    touch_later(page)
    plant.write("b.md", "Bad, too.")
    bad = plant.ingest()
    assert bad.success
    embedded = len(plant.embedder.embedded)

    dry = launch(plant, "rollback", source="handbook", before_run=bad.run_id)

    assert dry.success
    assert shown(dry, "roll_back")["restored"] == 1
    assert plant.current()["a.md"] == content_hash(b"Bad. Ask ACME-18.")

    done = launch(plant, "rollback", source="handbook", before_run=bad.run_id, dry_run=False)

    assert done.success
    assert {row["document"]: row["becomes"] for row in shown(done, "roll_back")["documents"]} == {"a.md": "restored", "b.md": "withdrawn"}
    assert plant.current() == {"a.md": content_hash(b"Good. Ask ACME-17.")}
    assert graph_names(plant) == {"ACME-17"}
    assert len(plant.embedder.embedded) == embedded
    assert good < plant.catalog.revision()

    touch_later(page)
    assert plant.ingest().success
    assert plant.current() == {"a.md": content_hash(b"Good. Ask ACME-17.")}

    released = launch(plant, "release", source="handbook", dry_run=False)
    assert shown(released, "release_held")["released"] == 2
    assert plant.ingest().success
    assert set(plant.current().values()) == {content_hash(b"Bad. Ask ACME-18."), content_hash(b"Bad, too.")}


def test_old_versions_go_and_what_is_erased_does_not_come_back(plant: Plant, tmp_path: Path):
    plant.register()
    page = plant.write("a.md", "First words.")
    plant.write("secret-zanzibarquux.md", "Mail zanzibarquux@example.org.")
    plant.ingest()
    page.write_text("Second words.")
    touch_later(page)
    plant.ingest()
    spec = plant.catalog.sources.get("handbook").spec
    terms = {"keep_versions": 0, "keep_days": 0}
    assert spec.retention.keep_days is None

    dry = launch(plant, "retention")
    assert shown(dry, "remove_old_versions")["versions"] == 0
    plant.catalog.sources.register(type(spec)(**{**vars(spec), "retention": type(spec.retention)(**terms)}), by="user:dana")
    dry = launch(plant, "retention")
    assert shown(dry, "remove_old_versions")["versions"] == 1
    done = launch(plant, "retention", source="handbook", dry_run=False)
    assert shown(done, "remove_old_versions")["by source"][0]["versions"] == 1
    with pytest.raises(KeyError):
        plant.workbench.ingestion.blobs.get(content_hash(b"First words."))

    form = {"kind": "person", "words": ["Zanzibarquux"], "reason": "asked for"}
    dry = launch(plant, "erase", **form)
    assert shown(dry, "erase_for_good")["documents"] == [{"source": "handbook", "documents": 1}]
    done = launch(plant, "erase", **form, dry_run=False, confirm="ERASE")
    assert done.success
    report = Path(str(shown(done, "erase_for_good")["report"]))
    public = audit_public_key(plant.settings)
    assert verified_erasure(report, public) is not None
    report.write_text(json.dumps(json.loads(report.read_text()) | {"by": "somebody else"}))
    assert verified_erasure(report, public) is None
    assert plant.ingest().success
    assert set(plant.current()) == {"a.md"}
    held = [p for p in plant.settings.data_directory.rglob("*") if p.is_file() and b"zanzibarquux" in p.read_bytes().lower()]
    assert held == []


@pytest.mark.parametrize(
    ("job", "form", "field"),
    [
        ("rollback", {"source": "handbook"}, "revision"),
        ("rollback", {"source": "handbook", "time": "yesterday"}, "time"),
        ("rollback", {"source": "handbook", "version": 1}, "document"),
        ("erase", {"kind": "person", "reason": "x", "words": ["someone"], "dry_run": False}, "confirm"),
        ("erase", {"kind": "source", "reason": "x"}, "source"),
    ],
)
def test_a_form_is_refused_before_a_run_exists(plant: Plant, job: str, form: dict[str, object], field: str):
    with pytest.raises(dg.DagsterConfigMappingFunctionError) as refused:
        plant.definitions.resolve_job_def(job).execute_in_process(run_config=form, instance=plant.instance)

    assert isinstance(refused.value.__cause__, RegistrationRefused)
    assert f"- {field}:" in str(refused.value.__cause__)
    assert plant.instance.get_runs() == []


def test_the_nights_run_removes_from_every_source(plant: Plant):
    schedule = plant.definitions.resolve_schedule_def("old_versions_removed")

    asked = schedule(dg.build_schedule_context(instance=plant.instance))

    assert asked.run_config == {"source": "", "dry_run": False}


def graph_names(plant: Plant) -> set[str]:
    with plant.catalog.database.read() as connection:
        return {row[0] for row in connection.exec_driver_sql("SELECT name FROM entity_names") if row[0].startswith("ACME")}
