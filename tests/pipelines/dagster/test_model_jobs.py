"""Another embedding model, prepared, compared, promoted, taken back and retired as an operator does it in Dagster."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from pipelines.resources import Workbench
from retrieval.bootstrap import Ingestion, begin_with_settings, open_ingestion
from retrieval.domain.embedding_models import EmbeddingModel, ModelState
from retrieval.domain.errors import ModelMismatch
from retrieval.ports.models import Embedder
from retrieval.settings import Settings
from tests.pipelines.dagster.conftest import Plant, metadata_of
from tests.switching import EMBEDDERS, LIVE, OTHER, candidate, load

TOPICS = ("lantern", "harbour", "ledger", "violin", "granite")


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    golden = tmp_path / "golden.jsonl"
    golden.write_text("\n".join(json.dumps(_question(topic)) for topic in TOPICS))
    settings = Settings(
        data_directory=tmp_path / "archivist",
        index_wait_seconds=0.2,
        model_golden=str(golden),
        model_max_latency_ratio=1e6,
        model_max_cost_ratio=1e6,
    )
    root = tmp_path / "documents"
    root.mkdir()
    instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})
    plant = Plant(settings, root, EMBEDDERS[LIVE], Workbench(settings, opening=_opening), instance)  # type: ignore[arg-type]
    yield plant
    plant.workbench.close()
    instance.dispose()


def test_a_model_is_prepared_compared_promoted_taken_back_and_retired(plant: Plant) -> None:
    for topic in TOPICS:
        plant.write(f"{topic}.md", f"# {topic}\n\nThe {topic} stands in the {topic} room.\n")
    plant.register()
    assert plant.ingest().success
    begin_with_settings(plant.settings, plant.catalog, load)
    models = plant.catalog.embedding_models
    models.register(candidate())

    too_early = _run(plant, "promote_embedding_model", model=OTHER)
    prepared = _run(plant, "model_backfill", model=OTHER)

    assert not too_early.success
    assert prepared.success
    shown = metadata_of(prepared, "model_vectors")
    assert (shown["state"], shown["embedded"], shown["dagster/row_count"]) == ("ready", len(TOPICS), len(TOPICS))
    [check] = prepared.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("model_is_as_good", True)
    assert check.metadata["questions"].value == len(TOPICS)

    plant.write("new.md", "# New\n\nA meadow is new.\n")
    beside = metadata_of(plant.ingest(), "embeddings")
    assert (beside["embedded"], beside[f"beside, by {OTHER}"]) == (1, 1)

    assert _run(plant, "promote_embedding_model", model=OTHER).success
    assert _states(plant) == {OTHER: ModelState.LIVE, LIVE: ModelState.READY}
    assert _run(plant, "reverse_embedding_model").success
    assert _states(plant) == {LIVE: ModelState.LIVE, OTHER: ModelState.READY}
    with pytest.raises(dg.DagsterConfigMappingFunctionError):
        _run(plant, "retire_embedding_model", model=OTHER, confirm="something else")
    assert _run(plant, "retire_embedding_model", model=OTHER, confirm=OTHER).success
    assert _states(plant) == {LIVE: ModelState.LIVE, OTHER: ModelState.RETIRED}
    assert {progress.embedded for progress in models.progress(OTHER)} == {0}
    assert {progress.missing for progress in models.progress(LIVE)} == {0}
    assert _recorded(plant) == [
        "model.promoted",
        "model.registered",
        "model.backfilled",
        "model.backfilled",
        "model.compared",
        "model.promoted",
        "model.reversed",
        "model.retired",
    ]


def _question(topic: str) -> dict[str, object]:
    return {"question": f"Where is the {topic}?", "principal": "user:ann", "relevant": [{"source": "handbook", "key": f"{topic}.md"}]}


@contextmanager
def _opening(settings: Settings) -> Iterator[Ingestion]:
    with open_ingestion(settings) as real:
        yield Ingestion(real.settings, real.catalog, real.blobs, lambda settings: load(settings, None), load)


def _run(plant: Plant, job: str, **form: str) -> dg.ExecuteInProcessResult:
    return plant.definitions.resolve_job_def(job).execute_in_process(instance=plant.instance, run_config=form, raise_on_error=False)


def _states(plant: Plant) -> dict[str, ModelState]:
    return {model.id: model.state for model in plant.catalog.embedding_models.all()}


def _recorded(plant: Plant) -> list[str]:
    with plant.catalog.database.read() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT action FROM audit WHERE action LIKE 'model.%' ORDER BY seq")]


def test_a_model_that_cannot_be_loaded_holds_no_document_up(plant: Plant) -> None:
    begin_with_settings(plant.settings, plant.catalog, load)
    plant.catalog.embedding_models.register(candidate())
    plant.catalog.embedding_models.backfill(OTHER, by="user:dana")
    object.__setattr__(plant.workbench.ingestion, "make_model", _only_the_live_one)
    plant.write("lantern.md", "# Lantern\n\nIt hangs.\n")
    plant.register()

    result = plant.ingest()

    assert result.success
    assert metadata_of(result, "embeddings")[f"beside, by {OTHER}"] == "nothing"
    assert metadata_of(result, "publication")["published"] == 1
    assert [progress.missing for progress in plant.catalog.embedding_models.progress(OTHER)] == [1]


def _only_the_live_one(settings: Settings, model: EmbeddingModel) -> Embedder:
    if model.id != LIVE:
        raise ModelMismatch("its files are gone")
    return load(settings, model)
