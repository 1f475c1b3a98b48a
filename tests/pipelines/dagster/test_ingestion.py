"""The whole chain over a folder, as Dagster runs it."""

import shutil

import dagster as dg

from tests.pipelines.dagster.conftest import Plant, allow, metadata_of, touch_later

POLICY = "# Travel\n\nTrains come first. Flights need the approval of the head of department.\n"
MENU = "Monday: soup. Tuesday: pasta. Wednesday: rice.\n"


def test_a_folder_becomes_readable_documents(plant: Plant) -> None:
    plant.write("travel.md", POLICY)
    plant.write("canteen/menu.txt", MENU)
    plant.register()

    result = plant.ingest()

    assert result.success
    assert set(plant.current()) == {"travel.md", "canteen/menu.txt"}
    status = plant.catalog.sources.status("handbook")
    assert (status.documents, status.readable, status.nobody_reads, status.quarantined) == (2, 2, 0, 0)
    assert plant.last_run().outcome == "succeeded"
    assert plant.last_run().counts["published"] == 2
    assert plant.catalog.sources.get("handbook").last_success_version == 1


def test_a_second_run_over_the_same_files_does_nothing(plant: Plant) -> None:
    plant.write("travel.md", POLICY)
    plant.register()
    plant.ingest()
    before, revision = list(plant.embedder.embedded), plant.catalog.revision()

    result = plant.ingest()

    assert result.success
    assert metadata_of(result, "documents")["parsed"] == 0
    assert plant.embedder.embedded == before
    assert plant.catalog.revision() == revision


def test_one_changed_document_is_the_only_one_taken_in_again(plant: Plant) -> None:
    changed = plant.write("travel.md", POLICY)
    plant.write("menu.txt", MENU)
    plant.register()
    plant.ingest()
    before = plant.current()
    changed.write_text(POLICY + "\nHotels are booked by the travel office.\n")
    touch_later(changed)

    result = plant.ingest()

    assert metadata_of(result, "documents")["parsed"] == 1
    assert metadata_of(result, "publication")["published"] == 1
    after = plant.current()
    assert after["travel.md"] != before["travel.md"]
    assert after["menu.txt"] == before["menu.txt"]


def test_a_removed_document_is_withdrawn_in_the_same_run(plant: Plant) -> None:
    plant.write("travel.md", POLICY)
    gone = plant.write("menu.txt", MENU)
    plant.register()
    plant.ingest()
    gone.unlink()

    result = plant.ingest()

    assert metadata_of(result, "publication")["withdrawn"] == 1
    assert set(plant.current()) == {"travel.md"}


def test_a_change_of_permissions_alone_embeds_nothing(plant: Plant) -> None:
    plant.write("travel.md", POLICY)
    plant.register(allow("**", "group:staff"))
    plant.ingest()
    before = list(plant.embedder.embedded)
    plant.register(allow("**", "group:board"))

    result = plant.ingest()

    assert metadata_of(result, "source_listing")["policy_changed"] == 1
    assert plant.embedder.embedded == before
    assert metadata_of(result, "documents")["parsed"] == 0


def test_documents_without_a_permission_are_counted_and_named(plant: Plant) -> None:
    plant.write("open/travel.md", POLICY)
    plant.write("closed/menu.txt", MENU)
    plant.register(allow("open/**", "everyone"))

    result = plant.ingest()

    shown = metadata_of(result, "source_listing")
    assert shown["nobody_reads"] == 1
    assert [row["document"] for row in shown["documents nobody reads"]] == ["closed/menu.txt"]
    [check] = [check for check in result.get_asset_check_evaluations() if check.check_name == "everyone_has_a_reader"]
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert "1 of 2 documents" in (check.description or "")


def test_a_broken_document_is_quarantined_and_the_others_are_published(plant: Plant) -> None:
    plant.write("travel.md", POLICY)
    (plant.root / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    plant.register()

    result = plant.ingest()

    assert result.success
    assert set(plant.current()) == {"travel.md"}
    [row] = metadata_of(result, "documents")["quarantine"]
    assert row["document"] == "broken.pdf"
    assert row["reason"]
    [check] = [check for check in result.get_asset_check_evaluations() if check.check_name == "quarantine"]
    assert not check.passed


def test_a_source_that_is_gone_fails_its_run_and_withdraws_nothing(plant: Plant) -> None:
    plant.write("travel.md", POLICY)
    plant.register()
    plant.ingest()
    before = plant.current()
    shutil.rmtree(plant.root)

    result = plant.ingest()

    assert not result.success
    assert plant.current() == before
    run = plant.last_run()
    assert run.outcome == "failed"
    assert run.problem
    retried = [event for event in result.all_events if event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY]
    assert len(retried) == 1


def test_no_text_of_a_document_reaches_dagster(plant: Plant) -> None:
    plant.write("travel.md", "# Heading\n\nThe launch code is osprey-seven-delta.\n")
    plant.register()

    result = plant.ingest()

    assert result.success
    assert "osprey" not in "".join(str(event) for event in result.all_events)


def test_a_newer_run_stops_an_older_one_without_another_attempt(plant: Plant) -> None:
    plant.write("travel.md", POLICY)
    plant.register()
    ledger, record = plant.catalog.runs, plant.catalog.listing.record

    def overtaken(run: object, files: object) -> object:
        ledger.start("handbook", "another-run")
        return record(run, files)

    plant.catalog.listing.record = overtaken
    result = plant.ingest()

    assert not result.success
    assert not plant.current()
    [ended] = [run for run in ledger.runs("handbook") if run.id == result.run_id]
    assert ended.outcome == "cancelled"
    assert not [event for event in result.all_events if event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY]


def test_a_paused_source_is_not_run(plant: Plant) -> None:
    plant.register()
    plant.definitions.resolve_job_def("pause_source").execute_in_process({"source": "handbook"}, plant.instance)

    result = plant.ingest()

    assert not result.success
    failure = result.filter_events(lambda event: event.is_step_failure)[0].step_failure_data
    assert "paused" in failure.user_failure_data.description


def test_a_retired_source_loses_its_documents_and_its_partition(plant: Plant) -> None:
    plant.write("travel.md", POLICY)
    plant.register()
    plant.ingest()

    plant.definitions.resolve_job_def("retire_source").execute_in_process({"source": "handbook", "confirm": "handbook"}, plant.instance)

    assert not plant.current()
    assert not plant.instance.get_dynamic_partitions("sources")


def test_a_part_of_the_chain_alone_says_what_to_do(plant: Plant) -> None:
    plant.register()

    result = plant.ingest(asset_selection=[dg.AssetKey("embeddings")])

    failure = result.filter_events(lambda event: event.is_step_failure)[0].step_failure_data
    assert "source_listing" in failure.user_failure_data.description
