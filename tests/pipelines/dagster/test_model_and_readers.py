"""The chain's two ends: the model, which is loaded only when it has to work, and the readers, which are waited for."""

import threading

import pytest

from pipelines.resources import Workbench
from retrieval.adapters.models.deferred import DeferredEmbedder
from retrieval.ports.models import Embedder
from tests.pipelines.dagster.conftest import Plant, metadata_of


@pytest.mark.models
def test_documents_are_cut_and_embedded_by_the_real_model(plant: Plant) -> None:
    (plant.root / "travel.md").write_text("# Travel\n\nTrains come first. Flights need an approval.\n")
    with_model = Plant(plant.settings, plant.root, plant.embedder, Workbench(plant.settings), plant.instance)
    with_model.register()

    result = with_model.ingest()

    assert result.success
    shown = metadata_of(result, "embeddings")
    assert shown["embedded"] == 1
    assert str(shown["model"]).startswith("all-MiniLM-L6-v2@")
    with with_model.catalog.database.read() as connection:
        [(vector,)] = connection.exec_driver_sql("SELECT vector FROM embeddings").all()
    assert len(vector) == 4 * with_model.workbench.ingestion.embedder.dimensions
    with_model.workbench.close()


def test_a_run_with_nothing_to_embed_loads_no_model(plant: Plant) -> None:
    loaded_by: list[str] = []
    plant.register()
    plant.write("travel.md", "# Travel\n\nBy train.\n")
    plant.ingest()
    defer_model(plant, loaded_by)

    result = plant.ingest()

    assert result.success
    assert loaded_by == []


def test_the_model_is_loaded_beside_the_parsing_of_what_is_new(plant: Plant) -> None:
    loaded_by: list[str] = []
    plant.register()
    plant.write("travel.md", "# Travel\n\nBy train.\n")
    defer_model(plant, loaded_by)

    result = plant.ingest()

    assert result.success
    assert loaded_by == ["load-embedder"]


def test_a_run_waits_until_a_living_reader_shows_what_it_published(plant: Plant) -> None:
    plant.write("travel.md", "# Travel\n\nBy train.\n")
    plant.register()
    plant.catalog.index_state.report("edge", applied_revision=0, generation=1, passages=0, state="ready")

    behind = plant.ingest()
    plant.catalog.index_state.report("edge", applied_revision=plant.catalog.revision(), generation=1, passages=1, state="ready")
    caught_up = plant.ingest()

    assert metadata_of(behind, "passage_index")["index"] == "published, but not yet shown by edge"
    assert metadata_of(caught_up, "passage_index")["index"] == "shown by the reader"
    checks = [
        check.passed for run in (behind, caught_up) for check in run.get_asset_check_evaluations() if check.check_name == "index_is_current"
    ]
    assert checks == [False, True]


def defer_model(plant: Plant, loaded_by: list[str]) -> None:
    """Puts a deferred model in the place of the plant's, which writes down the threads that load it."""

    def load() -> Embedder:
        loaded_by.append(threading.current_thread().name)
        return plant.embedder

    object.__setattr__(plant.workbench.ingestion, "make_embedder", lambda _settings: DeferredEmbedder(plant.embedder.model, load))
    vars(plant.workbench.ingestion).pop("_of_settings", None)
