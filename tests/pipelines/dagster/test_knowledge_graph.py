"""The knowledge graph follows what is published, in the same run."""

from collections.abc import Callable
from contextlib import suppress

import dagster as dg

from retrieval.domain.graph import GlossaryTerm, entity_id
from retrieval.domain.permissions import Principal
from tests.pipelines.dagster.conftest import Plant, metadata_of, touch_later

PUMP = "# Pump\n\nThe pump raises ERR-1042 when it runs dry. It was drawn by Ada Lovelace.\n"
ENGINE = "# Engine\n\nThe engine raises ERR-1042 when it is cold. It was drawn by Luigi Menabrea.\n"
TABLES = ("graph_documents", "entities", "entity_names", "mentions", "relations")


def rows(plant: Plant) -> dict[str, int]:
    with plant.catalog.database.read() as connection:
        return {table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0 for table in TABLES}


def is_mentioned(plant: Plant, name: str) -> bool:
    with plant.catalog.graph_feed.snapshot() as (_, documents):
        return any(m.entity == entity_id(name) for document in documents for facts in document.passages for m in facts.mentions)


def test_a_run_finds_entities_and_says_how_many(plant: Plant) -> None:
    plant.write("pump.md", PUMP)
    plant.write("engine.md", ENGINE)
    plant.register()

    result = plant.ingest()

    shown, held = metadata_of(result, "knowledge_graph"), rows(plant)
    assert shown["extracted"] == 2
    assert (shown["mentions"], shown["relations"]) == (held["mentions"], held["relations"])
    assert (shown["dagster/row_count"], shown["relations held"]) == (held["mentions"], held["relations"])
    by_kind = {row["kind"]: row["entities"] for row in shown["entities by kind"]}  # type: ignore[attr-defined]
    assert by_kind["identifier"] == 1
    assert by_kind["name"] >= 2
    assert plant.last_run().counts["extracted"] == 2
    assert all(is_mentioned(plant, name) for name in ("ERR-1042", "Ada Lovelace", "Luigi Menabrea", "Pump"))
    page = plant.catalog.graph.entity(Principal("ann"), entity_id("ERR-1042"), after="", count=10)
    assert page.entity.documents == 2


def test_the_graph_is_up_to_date_before_readers_are_awaited(plant: Plant) -> None:
    plant.write("pump.md", PUMP)
    plant.register()

    result = plant.ingest()

    done = [event.step_key for event in result.all_events if event.event_type is dg.DagsterEventType.STEP_SUCCESS and event.step_key]
    assert done.index("publication") < done.index("knowledge_graph") < done.index("passage_index")
    assert metadata_of(result, "passage_index")["revision"] == plant.catalog.revision()


def test_a_second_run_over_the_same_files_finds_nothing_new(plant: Plant) -> None:
    plant.write("pump.md", PUMP)
    plant.register()
    plant.ingest()
    before, revision = rows(plant), plant.catalog.revision()

    result = plant.ingest()

    shown = metadata_of(result, "knowledge_graph")
    assert [shown[name] for name in ("extracted", "mentions", "relations", "facts_removed", "entities_removed")] == [0] * 5
    assert shown["dagster/row_count"] == before["mentions"]
    assert (rows(plant), plant.catalog.revision()) == (before, revision)


def test_one_changed_document_is_the_only_one_looked_at_again(plant: Plant) -> None:
    changed = plant.write("pump.md", PUMP)
    plant.write("engine.md", ENGINE)
    plant.register()
    plant.ingest()
    changed.write_text(PUMP.replace("Ada Lovelace", "Charles Babbage"))
    touch_later(changed)

    shown = metadata_of(plant.ingest(), "knowledge_graph")

    assert (shown["extracted"], shown["facts_removed"]) == (1, 0)
    assert shown["entities_removed"] >= 1
    assert is_mentioned(plant, "Charles Babbage")
    assert not is_mentioned(plant, "Ada Lovelace")


def test_a_removed_document_takes_its_support_and_its_orphans_along_in_the_same_run(plant: Plant) -> None:
    gone = plant.write("pump.md", PUMP)
    plant.write("engine.md", ENGINE)
    plant.register()
    plant.ingest()
    before = rows(plant)
    gone.unlink()

    result = plant.ingest()

    shown, after = metadata_of(result, "knowledge_graph"), rows(plant)
    assert metadata_of(result, "publication")["withdrawn"] == 1
    assert (shown["extracted"], shown["facts_removed"]) == (0, 1)
    assert shown["entities_removed"] == before["entities"] - after["entities"] > 0
    assert not is_mentioned(plant, "Ada Lovelace")
    assert is_mentioned(plant, "ERR-1042")
    assert all(after[table] < before[table] for table in TABLES)


def test_a_retired_source_leaves_nothing_in_the_graph(plant: Plant) -> None:
    plant.write("pump.md", PUMP)
    plant.register()
    plant.ingest()

    plant.definitions.resolve_job_def("retire_source").execute_in_process({"source": "handbook", "confirm": "handbook"}, plant.instance)

    assert set(rows(plant).values()) == {0}


def test_a_glossary_is_found_in_the_next_run_and_only_its_words_are_named_in_dagster(plant: Plant) -> None:
    plant.write("pump.md", PUMP)
    plant.register()
    plant.ingest()
    plant.catalog.glossaries.apply("handbook", [GlossaryTerm("dry running", "fault", ("ERR-1042",), "No water.")], by="user:dana")

    result = plant.ingest()

    shown = metadata_of(result, "knowledge_graph")
    assert shown["extracted"] == 1
    assert is_mentioned(plant, "dry running")
    named = {row["entity"] for row in shown["most mentioned"]}  # type: ignore[attr-defined]
    assert "dry running" in named
    assert all(name == "dry running" or name.startswith("ent_") for name in named)
    assert "Lovelace" not in "".join(str(event) for event in result.all_events)


def test_a_run_that_was_stopped_between_two_batches_is_completed_by_the_next(make_plant: Callable[..., Plant]) -> None:
    plant = make_plant(graph_batch_documents=2)
    for number in range(6):
        plant.write(f"pump-{number}.md", PUMP.replace("1042", f"{number}042"))
    plant.register()
    replace = plant.catalog.graph_store.replace
    calls = []

    def stopped(*arguments: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return replace(*arguments, **options)

    plant.catalog.graph_store.replace = stopped
    with suppress(KeyboardInterrupt):
        plant.ingest()
    half = rows(plant)["graph_documents"]
    plant.catalog.graph_store.replace = replace

    result = plant.ingest()

    assert half == 2
    assert metadata_of(result, "knowledge_graph")["extracted"] == 4
    assert rows(plant)["graph_documents"] == 6
    assert all(is_mentioned(plant, f"ERR-{number}042") for number in range(6))
